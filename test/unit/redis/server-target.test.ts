import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {type ConnectionSettings, describeTarget, parseTarget} from '../../../src/lib/redis/server-target.js';

const target = (url: string, settings: Partial<ConnectionSettings> = {}) =>
  parseTarget({url, connectTimeoutMs: 4_000, ...settings});

const failureOf = (url: string, settings: Partial<ConnectionSettings> = {}): StreamlogError => {
  try {
    target(url, settings);
  } catch (error) {
    if (error instanceof StreamlogError) return error;
    throw error;
  }
  throw new Error('no failure');
};

test('the password of the server goes to sentinels, but not for a user of their own', () => {
  const url = 'redis+sentinel://u:secret@h1/mymaster';
  expect(target(url)).toMatchObject({sentinelUsername: undefined, sentinelPassword: 'secret'});
  expect(target(url, {sentinelUsername: 'watcher'})).toMatchObject({
    sentinelUsername: 'watcher',
    sentinelPassword: undefined,
  });
  expect(target(url, {sentinelPassword: 'other'})).toMatchObject({password: 'secret', sentinelPassword: 'other'});
});

describe('the place that a URL names', () => {
  test.each([
    ['redis://redis.example', {kind: 'tcp', node: {host: 'redis.example', port: 6379}, db: 0}],
    ['redis://redis.example:6380/3', {kind: 'tcp', node: {host: 'redis.example', port: 6380}, db: 3}],
    ['redis://redis.example?db=4', {kind: 'tcp', node: {host: 'redis.example', port: 6379}, db: 4}],
    ['REDIS://redis.example/', {kind: 'tcp', node: {host: 'redis.example', port: 6379}, db: 0}],
    ['redis://', {kind: 'tcp', node: {host: '127.0.0.1', port: 6379}}],
    ['redis://[::1]:7000/2', {kind: 'tcp', node: {host: '::1', port: 7000}, db: 2}],
    ['rediss://redis.example', {kind: 'tcp', tls: {}}],
    ['redis://redis.example?protocol=3&timeout=5s', {kind: 'tcp', db: 0}],
    ['unix:///run/redis/redis.sock', {kind: 'unix', path: '/run/redis/redis.sock', db: 0}],
    ['unix:///run/redis.sock?db=5', {kind: 'unix', path: '/run/redis.sock', db: 5}],
    ['unix://./redis.sock', {kind: 'unix', path: './redis.sock'}],
    ['unix:///run/a%20b.sock', {kind: 'unix', path: '/run/a b.sock'}],
    ['unix:///run/me@home.sock', {kind: 'unix', path: '/run/me@home.sock', username: undefined}],
    ['unix://u:p@/run/redis.sock', {kind: 'unix', path: '/run/redis.sock', username: 'u', password: 'p'}],
    [
      'redis+sentinel://h1,h2:26380/mymaster/2',
      {
        kind: 'sentinel',
        master: 'mymaster',
        db: 2,
        nodes: [
          {host: 'h1', port: 26379},
          {host: 'h2', port: 26380},
        ],
      },
    ],
    ['rediss+sentinel://h1/mymaster', {kind: 'sentinel', db: 0, tls: {}}],
    [
      'redis+cluster://h1,[::1]:7001',
      {
        kind: 'cluster',
        db: 0,
        nodes: [
          {host: 'h1', port: 6379},
          {host: '::1', port: 7001},
        ],
      },
    ],
    ['rediss+cluster://h1/0', {kind: 'cluster', db: 0, tls: {}}],
  ])('%s', (url, expected) => {
    expect(target(url)).toMatchObject(expected);
  });
});

describe('user and password', () => {
  test.each([
    ['redis://u:p@h', 'u', 'p'],
    ['redis://:p@h', undefined, 'p'],
    ['redis://u@h', 'u', undefined],
    ['redis://h', undefined, undefined],
    ['redis://u:a%40b%2Fc%3A@h', 'u', 'a@b/c:'],
    ['redis://u:a@b@h', 'u', 'a@b'],
    ['redis://u:a:b@h', 'u', 'a:b'],
  ])('%s', (url, username, password) => {
    expect(target(url)).toMatchObject({username, password, node: {host: 'h'}});
  });

  test('flags and environment win over the URL', () => {
    expect(target('redis://u:p@h', {username: 'v', password: 'q'})).toMatchObject({username: 'v', password: 'q'});
  });
});

describe('a URL that cannot be used', () => {
  test.each([
    'http://h',
    'h:6379:1',
    '',
    'redis://h:0',
    'redis://h:65536',
    'redis://h:x',
    'redis://h/three',
    'redis://h/3/4',
    'redis://h?db=-1',
    'redis://h1,h2',
    'redis://u:p%zz@h',
    'redis://u:a/b@h',
    'unix://',
    'redis+sentinel://h1',
    'redis+sentinel://h1/',
    'redis+sentinel:///mymaster',
    'redis+sentinel://h1/mymaster/0/1',
    'redis+cluster://',
    'redis+cluster://h1,,h2',
  ])('%s is a mistake in the configuration', (url) => {
    expect(failureOf(url)).toMatchObject({kind: 'configuration', hint: expect.stringContaining('redis://')});
  });

  test.each([
    ['http://h', 'http:// is no scheme of Redis'],
    ['reds://u:p@h', 'reds:// is no scheme of Redis'],
    ['', 'it is empty'],
    ['redis://h:65536', 'a port is a number from 1 to 65535'],
    ['h:0', 'a port is a number from 1 to 65535'],
    ['redis://h:x', 'a host is missing or its port is not a number'],
    ['redis://h#/ /', 'the Redis URL cannot be used'],
  ])('%s is refused with its fault', (url, fault) => {
    expect(failureOf(url).message).toContain(fault);
  });

  test('says that / and ? in a password are escaped', () => {
    expect(failureOf('redis://u:a/b@h').message).toContain('%2F');
  });
});

describe('TLS', () => {
  const ca = '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n';

  test('a certificate turns it on for every kind of place', () => {
    for (const url of ['redis://h', 'redis+sentinel://h/m', 'redis+cluster://h']) {
      expect(target(url, {tls: {ca}}).tls).toEqual({ca});
    }
  });

  test('is not spoken on a unix socket, and that is said rather than ignored', () => {
    expect(failureOf('unix:///run/redis.sock', {tls: {ca}})).toMatchObject({kind: 'configuration'});
  });

  test('a file that holds no PEM is refused, since Node would take it for an empty list', () => {
    expect(failureOf('redis://h', {tls: {ca: 'garbage'}}).message).toContain('--cacert');
    expect(failureOf('redis://h', {tls: {ca, cert: 'garbage', key: 'garbage'}}).message).toContain('--cert');
  });
});

test('no password is in the description, nor in a failure, whatever the URL', () => {
  const secret = fc.stringMatching(/^[a-zA-Z0-9!$%&*+:;=~@/?#-]{0,8}zQ9x[a-zA-Z0-9!$%&*+:;=~@/?#-]{0,8}$/);
  const rest = fc.constantFrom('h', 'h:6379/3', 'h1,h2', 'h1,h2/mymaster', '/run/redis.sock', 'h:x', '');
  const scheme = fc.constantFrom('redis', 'rediss', 'unix', 'redis+sentinel', 'redis+cluster', 'http');
  fc.assert(
    fc.property(scheme, secret, rest, fc.boolean(), (name, password, place, escaped) => {
      const url = `${name}://user:${escaped ? encodeURIComponent(password) : password}@${place}`;
      let said: string;
      try {
        said = describeTarget(target(url));
      } catch (error) {
        const {message, hint, stack} = error as StreamlogError;
        said = `${message} ${hint} ${stack}`;
      }
      expect(said).not.toContain('zQ9x');
    }),
    {numRuns: 2_000},
  );
});

test('an address is described without its credentials', () => {
  expect(describeTarget(target('redis://u:p@h:6380/3'))).toBe('h:6380');
  expect(describeTarget(target('redis://[::1]'))).toBe('[::1]:6379');
  expect(describeTarget(target('unix://u:p@/run/redis.sock'))).toBe('/run/redis.sock');
  expect(describeTarget(target('redis+sentinel://u:p@h1,h2/m'))).toBe('master "m" of the sentinels h1:26379, h2:26379');
  expect(describeTarget(target('redis+cluster://u:p@h1'))).toBe('the cluster of h1:6379');
});
