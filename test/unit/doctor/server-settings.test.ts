import {describe, expect, it} from 'vitest';
import {textOf} from '../../../src/lib/doctor/commands.js';
import {untoldSettings} from '../../../src/lib/doctor/server-node.js';
import * as settings from '../../../src/lib/doctor/server-settings.js';
import {serverNode} from './server-nodes.js';

type Looks = (node: ReturnType<typeof serverNode>) => readonly {
  id: string;
  what: string;
  mend: readonly {words: readonly string[]}[];
}[];
const ALL: Looks = (node) => Object.values(settings).flatMap((look) => look(node));
const found = (...facts: Parameters<typeof serverNode>): string[] =>
  ALL(serverNode(...facts)).map(({id, what}) => `${id} ${what}`);
const mends = (...facts: Parameters<typeof serverNode>): string[] =>
  ALL(serverNode(...facts)).flatMap(({mend}) => mend.map(textOf));

const LIMITED = ['maxmemory:10000000', 'total_system_memory:25000000000'];

it.each([
  ['a server as it is installed', [], {}],
  ['one with AOF alone', [], {save: '', appendonly: 'yes'}],
  ['one that drops keys with a TTL', [...LIMITED, 'maxmemory_policy:volatile-lru'], {}],
  ['one with a policy and no limit', ['maxmemory_policy:allkeys-lru'], {}],
  ['one that is 85 % full', [...LIMITED, 'used_memory:8500000'], {}],
  ['a replica without persistence', ['role:slave'], {save: ''}],
  ['a replica with replicas', ['role:slave', 'connected_slaves:2'], {}],
  ['a master that needs its replica', ['connected_slaves:1'], {'min-replicas-to-write': '1'}],
  ['one with nodes by entries alone', [], {'stream-node-max-bytes': '0'}],
  ['one that cuts clients after five minutes', [], {timeout: '300'}],
  ['one without keepalive on a socket', [], {'tcp-keepalive': '0', port: '0'}],
  ['one that cut subscribers', ['client_output_buffer_limit_disconnections:3'], {}],
  ['one with limits for all, which cut nobody', [], {'client-output-buffer-limit': 'normal 1048576 0 0'}],
  ['one that tells nothing', [], null],
  ['one whose settings are no numbers', ['connected_slaves:1'], {'min-replicas-to-write': 'many', timeout: '-1'}],
] as [string, string[], Record<string, string> | null][])('finds nothing of %s', (_, info, config) => {
  expect(found(info, config)).toEqual([]);
});

describe('finds', () => {
  it('a policy that drops any key, and how many went', () => {
    const info = [...LIMITED, 'maxmemory_policy:allkeys-lfu'];
    expect(found(info)).toEqual(['D20 maxmemory-policy is allkeys-lfu']);
    expect(found([...info, 'evicted_keys:31'])).toEqual(['D20 maxmemory-policy is allkeys-lfu, and 31 keys went']);
    expect(mends(info)).toEqual(['redis-cli -u redis://h:6379 CONFIG SET maxmemory-policy noeviction']);
  });

  it('no persistence', () => {
    expect(found([], {save: ''})).toEqual(['D21 appendonly and save are both off']);
    expect(mends([], {save: ''})).toEqual([
      'redis-cli -u redis://h:6379 CONFIG SET appendonly yes',
      "redis-cli -u redis://h:6379 CONFIG SET save '3600 1 300 100 60 10000'",
    ]);
  });

  it('a master with replicas that needs none of them', () => {
    expect(found(['connected_slaves:2'])).toEqual(['D22 min-replicas-to-write is 0 with 2 replicas']);
    expect(mends(['connected_slaves:2'])).toEqual(['redis-cli -u redis://h:6379 CONFIG SET min-replicas-to-write 1']);
    const config = {'min-replicas-to-write': '1', 'min-replicas-max-lag': '0'};
    expect(found(['connected_slaves:1'], config)).toEqual(['D22 min-replicas-max-lag is 0 with 1 replica']);
    expect(mends(['connected_slaves:1'], config)).toEqual([
      'redis-cli -u redis://h:6379 CONFIG SET min-replicas-max-lag 10',
    ]);
  });

  it('memory that is nearly used up, and raises the limit where the machine has more', () => {
    const info = [...LIMITED, 'used_memory:9000000'];
    expect(found(info)).toEqual(['D23 90 % of maxmemory is used, 8.6 MB of 9.5 MB']);
    expect(mends(info)).toEqual(['redis-cli -u redis://h:6379 CONFIG SET maxmemory 13mb']);
    expect(mends([...info, 'total_system_memory:12000000'])).toEqual([]);
    expect(mends(['maxmemory:10000000', 'used_memory:9000000'])).toEqual([]);
  });

  it('nodes of streams without a limit, too large, and too small', () => {
    const none = {'stream-node-max-bytes': '0', 'stream-node-max-entries': '0'};
    expect(found([], none)).toEqual(['D24 stream-node-max-bytes is 0 and stream-node-max-entries is 0']);
    expect(mends([], none)).toEqual(['redis-cli -u redis://h:6379 CONFIG SET stream-node-max-bytes 4096']);
    expect(found([], {'stream-node-max-bytes': '0', 'stream-node-max-entries': '20000'})).toHaveLength(1);
    expect(mends([], {'stream-node-max-entries': '1'})).toEqual([
      'redis-cli -u redis://h:6379 CONFIG SET stream-node-max-entries 100',
    ]);
  });

  it('clients that stay for ever, and clients that are cut too soon', () => {
    expect(found([], {'tcp-keepalive': '0', timeout: '30'})).toEqual(['D26 tcp-keepalive is 0', 'D26 timeout is 30 s']);
    expect(found([], {'tcp-keepalive': '0', port: '0', 'tls-port': '6380'})).toHaveLength(1);
    expect(mends([], {timeout: '30'})).toEqual(['redis-cli -u redis://h:6379 CONFIG SET timeout 0']);
  });

  it('consumers that are cut by the limits of output buffers', () => {
    const config = {'client-output-buffer-limit': 'normal 0 1048576 60 slave 0 0 0 pubsub 0 0 0'};
    expect(found(['client_output_buffer_limit_disconnections:1'], config)).toEqual([
      'D27 1 client cut off since the server started; normal clients may buffer 1.0 MB',
    ]);
    expect(mends(['client_output_buffer_limit_disconnections:1'], config)).toEqual([
      "redis-cli -u redis://h:6379 CONFIG SET client-output-buffer-limit 'normal 0 0 0'",
    ]);
  });
});

it('says which node of a cluster it is', () => {
  const [sighting] = settings.persistence(serverNode([], {save: ''}, '10.0.0.8:7001'));
  expect(sighting!.what).toBe('appendonly and save are both off on 10.0.0.8:7001');
  expect(sighting!.seen).toMatchObject({node: '10.0.0.8:7001'});
});

it('knows which findings it cannot make of what a server tells', () => {
  const {config} = serverNode();
  expect(untoldSettings(config!)).toEqual([]);
  const some = new Map(config!);
  for (const name of ['save', 'tls-port', 'timeout']) some.delete(name);
  expect(untoldSettings(some)).toEqual([
    ['D21', ['save']],
    ['D26', ['timeout']],
  ]);
});
