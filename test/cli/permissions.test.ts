/** What an ACL user must be allowed for each command, as docs/permissions.md has it. */
import {afterAll, beforeAll, beforeEach, expect, it} from 'vitest';
import {type RedisServer, startRedis} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.redis.flushall();
  for (let n = 1; n <= 5; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
  await server.redis.xgroup('CREATE', 'orders', 'streamlog', '0');
});

/** Runs as a user who may only do what `rules` say, with the keys of `orders`. */
async function as(rules: string, ...args: string[]): Promise<Finished> {
  await server.redis.call(
    'ACL',
    'SETUSER',
    'limited',
    'reset',
    'on',
    '>secret',
    '~orders',
    '~{orders}:*',
    ...rules.split(' '),
  );
  return streamlog(args, {server, env: {STREAMLOG_USERNAME: 'limited', STREAMLOG_PASSWORD: 'secret'}});
}
const lines = (stdout: string): number => stdout.split('\n').length - 1;

it('a group that exists is consumed by one who may only read and acknowledge', async () => {
  const {code, stdout, stderr} = await as('+xreadgroup +xack', 'consume', '-s', 'orders', '--claim', 'off', '--exit');

  expect([code, stderr, lines(stdout)]).toEqual([0, '', 5]);
  expect(await server.redis.xpending('orders', 'streamlog')).toEqual([0, null, null, null]);
});

it('such a user is told of a missing group by what may not be done about it', async () => {
  const {code, stderr} = await as(
    '+xreadgroup +xack',
    'consume',
    '-s',
    'orders',
    '-g',
    'other',
    '--claim',
    'off',
    '--exit',
  );

  expect(stderr).toContain('XGROUP CREATE on stream "orders"');
  expect(code).toBe(77);
});

it('a stream is read by one who may not ask about it', async () => {
  expect(lines((await as('+xrange +xrevrange', 'range', '-s', 'orders')).stdout)).toBe(5);
  expect(lines((await as('+xrange +xrevrange', 'tail', '-s', 'orders', '--no-follow')).stdout)).toBe(5);
});
