/** What people type in place of a URL, and what is refused since it could mean two things. */
import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {BadUrl} from '../../../src/lib/redis/bad-url.js';
import {describeTarget, parseTarget} from '../../../src/lib/redis/server-target.js';
import {fullUrl} from '../../../src/lib/redis/short-url.js';

describe('what people type', () => {
  test.each([
    ['localhost', 'redis://localhost'],
    ['localhost:6380', 'redis://localhost:6380'],
    ['localhost:6380/2', 'redis://localhost:6380/2'],
    ['redis:6379', 'redis://redis:6379'],
    ['my_host-1.example', 'redis://my_host-1.example'],
    [':6380', 'redis://127.0.0.1:6380'],
    ['127.0.0.1:6380', 'redis://127.0.0.1:6380'],
    ['[::1]:6380', 'redis://[::1]:6380'],
    ['[::1]', 'redis://[::1]'],
    ['/run/redis.sock', 'unix:///run/redis.sock'],
    ['./redis.sock', 'unix://./redis.sock'],
    ['../a b/redis.sock', 'unix://../a b/redis.sock'],
    ['redis://h:1/2', 'redis://h:1/2'],
    ['http://h', 'http://h'],
    ['', ''],
  ])('%s is %s', (typed, url) => {
    expect(fullUrl(typed)).toBe(url);
  });

  it('names a socket of any path as it is', () => {
    const part = fc.string({unit: 'grapheme', minLength: 1, maxLength: 8}).filter((text) => !/[\0/@]/.test(text));
    fc.assert(
      fc.property(fc.array(part, {minLength: 1, maxLength: 3}), (parts) => {
        const path = `/${parts.join('/')}`;
        fc.pre(!path.includes('://'));
        expect(describeTarget(parseTarget({url: path, connectTimeoutMs: 1}))).toBe(path);
      }),
    );
  });
});

describe('what could mean two things', () => {
  test.each([
    ['6379', ':6379 or redis://6379'],
    ['::1', '[::1] or [::1]:6379'],
    ['redis.sock', './redis.sock for the socket'],
    ['run/redis', 'redis://run/redis or ./run/redis'],
    ['h1,h2', 'redis+sentinel://H1,H2/NAME or redis+cluster://H1,H2'],
    ['localhost:', 'host:port, :port, /path/to/socket or redis://host:port'],
    ['two words', 'host:port, :port, /path/to/socket or redis://host:port'],
    ['app:secret@h', 'redis://[user:password@]host[:port][/db]'],
  ])('%s is refused with the right form', (typed, form) => {
    expect(() => fullUrl(typed)).toThrow(BadUrl);
    expect(() => parseTarget({url: typed, source: 'STREAMLOG_URL', connectTimeoutMs: 1})).toThrow(
      expect.objectContaining({
        kind: 'configuration',
        hint: `write ${form}`,
        message: expect.stringMatching(/; it comes from STREAMLOG_URL$/),
      }),
    );
  });

  it('shows nothing of a text that may hold a password', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(!`${a}@${b}`.includes('://'));
        expect(() => fullUrl(`zQ9x${a}@${b}`)).toThrow(
          expect.not.objectContaining({message: expect.stringContaining('zQ9x')}),
        );
      }),
    );
  });
});
