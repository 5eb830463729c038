import {describe, expect, it} from 'vitest';
import {Refusal} from '../../../src/lib/serve/responses.js';
import {decodeName, readRoute as routeOf} from '../../../src/lib/serve/router.js';

const readRoute = (method: string, path: string, query?: string) =>
  routeOf(method, {path, query, authority: undefined});

function refusalOf(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a path', () => {
  it('that names a stream is one segment, still encoded', () => {
    expect(readRoute('POST', '/streams/a%2Fb')).toEqual({kind: 'add', encodedName: 'a%2Fb', query: undefined});
    expect(readRoute('POST', '/streams/a', 'x=1')).toEqual({kind: 'add', encodedName: 'a', query: 'x=1'});
  });

  it.each([
    '/',
    '',
    '/streams',
    '/streams/',
    '/streams/a/b',
    '/streams/a/',
    '//streams/a',
    '/Streams/a',
    '/livez/',
    '*',
  ])('%j is not found', (url) => {
    expect(refusalOf(() => readRoute('POST', url)).code).toBe('not_found');
  });

  it.each([
    ['GET', '/streams/a', 'POST'],
    ['DELETE', '/streams/a', 'POST'],
    ['post', '/streams/a', 'POST'],
    ['OPTIONS', '/streams/a', 'POST'],
    ['POST', '/livez', 'GET, HEAD'],
    ['POST', '/readyz', 'GET, HEAD'],
  ])('%s %s says what it allows: %s', (method, url, allowed) => {
    const {code, answer} = refusalOf(() => readRoute(method, url));
    expect(code).toBe('method_not_allowed');
    expect(answer.headers?.Allow).toBe(allowed);
  });
});

describe('the name of a stream', () => {
  it.each([
    ['events', 'events'],
    ['a%2Fb', 'a/b'],
    ['%F0%9F%98%80', '😀'],
    ['%0A%00', '\n\0'],
    ['a+b', 'a+b'],
    ['__proto__', '__proto__'],
    ['%25', '%'],
    ['..', '..'],
  ])('%s is %j', (encoded, name) => {
    expect(decodeName(encoded)).toBe(name);
  });

  it.each(['%', '%2', '%zz', '%C3', '%FF', '%ED%A0%80', '%C0%AF', 'é', 'a b'])('%j cannot be one', (encoded) => {
    expect(refusalOf(() => decodeName(encoded)).code).toBe('bad_path');
  });
});
