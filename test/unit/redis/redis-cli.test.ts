import {expect, it} from 'vitest';
import {redisCliWords} from '../../../src/lib/redis/redis-cli.js';
import {parseTarget} from '../../../src/lib/redis/server-target.js';

const words = (url: string, node: string, settings: object = {}): string =>
  redisCliWords(parseTarget({url, connectTimeoutMs: 1_000, ...settings}), node).join(' ');

it.each([
  ['redis://127.0.0.1:6379', '127.0.0.1:6379', 'redis-cli -u redis://127.0.0.1:6379'],
  ['redis://db.example:6380/3', 'db.example:6380', 'redis-cli -u redis://db.example:6380 -n 3'],
  ['redis://[::1]:6380', '::1:6380', 'redis-cli -h ::1 -p 6380'],
  ['rediss://[::1]:6380', '::1:6380', 'redis-cli -h ::1 -p 6380 --tls'],
  ['rediss://db.example', 'db.example:6379', 'redis-cli -u rediss://db.example:6379'],
  ['unix:///run/redis.sock', '', 'redis-cli -s /run/redis.sock'],
  ['unix:///run/redis.sock?db=2', '', 'redis-cli -s /run/redis.sock -n 2'],
  ['redis+sentinel://h1,h2/mymaster', '10.0.0.7:6379', 'redis-cli -u redis://10.0.0.7:6379'],
  ['redis+cluster://h1,h2', '10.0.0.8:7001', 'redis-cli -u redis://10.0.0.8:7001'],
])('%s, connected to %j: %s', (url, node, expected) => {
  expect(words(url, node)).toBe(expected);
});

it('names the user, and never the password', () => {
  expect(words('redis://ops:s3cret@db.example', 'db.example:6379')).toBe(
    'redis-cli -u redis://db.example:6379 --user ops',
  );
  expect(words('redis://:s3cret@db.example', 'db.example:6379')).toBe('redis-cli -u redis://db.example:6379');
  expect(words('unix://ops:s3cret@/run/redis.sock', '')).toBe('redis-cli -s /run/redis.sock --user ops');
});

it('asks for the name that the certificate must have', () => {
  expect(words('rediss://10.0.0.7', '10.0.0.7:6379', {sni: 'db.example'})).toBe(
    'redis-cli -u rediss://10.0.0.7:6379 --sni db.example',
  );
});
