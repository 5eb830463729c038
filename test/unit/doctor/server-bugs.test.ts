import {expect, it} from 'vitest';
import {serverBugs} from '../../../src/lib/doctor/server-bugs.js';
import {groupFacts, streamFacts} from '../snapshots.js';
import {serverNode} from './server-nodes.js';

const DELETED = [
  streamFacts({
    stream: 'orders',
    maxDeletedId: '5-0',
    groups: [groupFacts({group: 'behind', lastDeliveredId: '4-9'}), groupFacts({group: 'at', lastDeliveredId: '5-0'})],
  }),
  streamFacts({stream: 'old', maxDeletedId: null, groups: [groupFacts({group: 'g'})]}),
  streamFacts({stream: 'denied', maxDeletedId: '9-0', groups: null}),
];

const bugs = (line: string, streams = DELETED): unknown[] =>
  serverBugs(serverNode([line]), streams).map(({seen}) => seen.bug);

it.each([
  ['redis_version:8.1.9', []],
  ['redis_version:8.2.0', ['CVE-2025-62507', 'redis/redis#14656']],
  ['redis_version:8.2.2', ['CVE-2025-62507', 'redis/redis#14656']],
  ['redis_version:8.2.3', ['redis/redis#14656']],
  ['redis_version:8.2.7', []],
  ['redis_version:8.4.0', ['redis/redis#14656']],
  ['redis_version:8.4.4', []],
  ['redis_version:8.6.3', []],
  ['redis_version:8.10.1', []],
  ['redis_version:6.2.14', []],
  ['redis_version:7.0.15', ['redis/redis#13337']],
  ['redis_version:7.2.8', ['redis/redis#13337']],
  ['redis_version:7.2.10', []],
  ['redis_version:7.4.1', ['redis/redis#13337']],
  ['redis_version:7.4.2', []],
  // Valkey says which Redis it is like, too.
  ['redis_version:7.2.4\r\nvalkey_version:9.1.2', []],
  ['redis_version:7.2.4\r\nvalkey_version:8.0.2', ['redis/redis#13337']],
  ['redis_version:7.4.0\r\ndragonfly_version:df-v1.30.0', []],
  ['redis_version:8.2.0-rc1', []],
  ['redis_version:unknown', []],
])('%s: %j', (line, expected) => {
  expect(bugs(line)).toEqual(expected);
});

it('speaks of a wrong lag only where an unread entry was deleted', () => {
  expect(bugs('redis_version:7.0.15', [])).toEqual([]);
  const [, ...others] = DELETED;
  expect(bugs('redis_version:7.0.15', others)).toEqual([]);
  expect(serverBugs(serverNode(), DELETED)[0]!.what).toBe(
    'Redis 7.0.15 has redis/redis#13337, which 7.2.9 has not; 1 group concerned',
  );
});
