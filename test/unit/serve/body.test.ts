import {describe, expect, it} from 'vitest';
import {readMediaType} from '../../../src/lib/serve/body-records.js';

describe('the type of a body', () => {
  it.each([
    ['application/json', 'json'],
    ['Application/JSON; Charset=UTF-8', 'json'],
    ['application/json;charset="utf-8"', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['application/x-ndjson ; charset=utf8; x=y', 'ndjson'],
  ])('%s is known', (type, kind) => {
    expect(readMediaType({'content-type': type})).toBe(kind);
  });

  it.each([
    undefined,
    '',
    'text/plain',
    'application/jsonp',
    'application/json, text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
    'application/x-ndjson; charset=utf-16',
    'application/json; charset=',
  ])('%s is refused', (type) => {
    expect(() => readMediaType({'content-type': type})).toThrow(expect.objectContaining({code: 'unsupported_type'}));
  });

  it.each(['gzip', 'br', 'identity, gzip', 'x'])('is refused when it is encoded as %s', (encoding) => {
    expect(() => readMediaType({'content-type': 'application/json', 'content-encoding': encoding})).toThrow(
      expect.objectContaining({code: 'unsupported_encoding'}),
    );
  });

  it('may be said to be encoded as nothing', () => {
    expect(readMediaType({'content-type': 'application/json', 'content-encoding': 'Identity'})).toBe('json');
  });
});
