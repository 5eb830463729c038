import {expect, it} from 'vitest';
import {evictionWarning} from '../../../src/lib/redis/server-commands.js';

/** As INFO memory has it. */
const info = (maxmemory: string, policy: string): string =>
  `# Memory\r\nused_memory:1\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:1G\r\nmaxmemory_policy:${policy}\r\n`;

it.each([
  ['1073741824', 'volatile-lru', true],
  ['1', 'allkeys-lfu', true],
  // Without a limit nothing is dropped, whatever the policy.
  ['0', 'volatile-lru', false],
  ['1073741824', 'noeviction', false],
])('maxmemory %s and %s: %s', (maxmemory, policy, warns) => {
  const warning = evictionWarning(info(maxmemory, policy), 'what was added');
  if (warns) expect(warning).toContain(`maxmemory-policy ${policy}), and with them what was added`);
  else expect(warning).toBeUndefined();
});

it('says nothing of a server that does not tell', () => {
  expect(evictionWarning('', 'what was added')).toBeUndefined();
  expect(evictionWarning('maxmemory_policy:volatile-ttl\r\n', 'what was added')).toContain('volatile-ttl');
});
