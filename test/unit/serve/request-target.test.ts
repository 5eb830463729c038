import {describe, expect, it} from 'vitest';
import {readTarget} from '../../../src/lib/serve/request-head.js';

describe('a target', () => {
  it('is read for itself, whatever was read before', () => {
    for (const [target, path] of [
      ['/a', '/a'],
      ['/..', undefined],
      ['/a', '/a'],
      ['/b', '/b'],
      ['/..', undefined],
      ['', undefined],
    ] as const)
      expect(readTarget(target)?.path).toBe(path);
  });

  it.each([
    ['/streams/a', '/streams/a', undefined, undefined],
    ['/streams/a%2Fb?x=1?2', '/streams/a%2Fb', 'x=1?2', undefined],
    ['/streams/a?', '/streams/a', '', undefined],
    ['/', '/', undefined, undefined],
    ['*', '*', undefined, undefined],
    ['/streams/a..b', '/streams/a..b', undefined, undefined],
    ['/streams/...', '/streams/...', undefined, undefined],
    ['/streams/.hidden', '/streams/.hidden', undefined, undefined],
    ['/streams/%23secret', '/streams/%23secret', undefined, undefined],
    ['/streams/a%5Cb', '/streams/a%5Cb', undefined, undefined],
    ['/streams/{a}:x;y=[1]|^`', '/streams/{a}:x;y=[1]|^`', undefined, undefined],
    ['http://host/streams/a?b', '/streams/a', 'b', 'host'],
    ['HTTPS://[::1]:8080/livez', '/livez', undefined, '[::1]:8080'],
    ['http://a.example:80', '/', undefined, 'a.example:80'],
    ['http://a.example?x', '/', 'x', 'a.example'],
  ])('%j has the path %j and the query %j, and names the host %j', (target, path, query, authority) => {
    expect(readTarget(target)).toEqual({path, query, authority});
  });

  it.each([
    '/streams/t#secret',
    '/streams/t?x#secret',
    '/#',
    '/streams/..',
    '/streams/.',
    '/streams/../admin',
    '/./streams/a',
    '/streams/%2e%2E',
    '/streams/.%2e',
    '/streams/%2e',
    '/streams/a%2F..%2Fb',
    '/streams/a%5c..',
    '/streams/a\\b',
    '/streams\\a',
    '/streams/a b',
    '/streams/é',
    '/streams/a\0',
    '/streams/a\x7f',
    '',
    'streams/a',
    '?x',
    'localhost:8080',
    'http:///livez',
    'http://user:secret@host/livez',
    'http://a b/livez',
    'http://host:123456/livez',
    'ftp://host/livez',
    'http:/livez',
    'http://host/streams/../a',
    'http://host#x',
  ])('%j could be read in two ways, or is none', (target) => {
    expect(readTarget(target)).toBeUndefined();
  });
});
