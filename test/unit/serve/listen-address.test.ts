import {describe, expect, it} from 'vitest';
import {addressUrl, isLoopback, parseListenAddress} from '../../../src/lib/serve/listen.js';

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:8080', '127.0.0.1', 8080, true],
    ['localhost:0', 'localhost', 0, true],
    ['127.8.9.1:1', '127.8.9.1', 1, true],
    ['[::1]:8080', '::1', 8080, true],
    [':8080', undefined, 8080, false],
    ['0.0.0.0:8080', '0.0.0.0', 8080, false],
    ['[::]:8080', '::', 8080, false],
    ['192.168.1.5:65535', '192.168.1.5', 65_535, false],
    ['127.0.0.1.example.com:80', '127.0.0.1.example.com', 80, false],
    ['127.evil:80', '127.evil', 80, false],
  ])('%s', (text, host, port, loopback) => {
    const address = parseListenAddress(text);
    expect(address).toEqual({host, port});
    expect(isLoopback(address)).toBe(loopback);
  });

  it.each(['8080', '127.0.0.1', '127.0.0.1:', '::1:8080', 'host:65536', 'host:-1', 'http://host:80', 'a b:80', ''])(
    'is refused when it is %j',
    (text) => {
      expect(() => parseListenAddress(text)).toThrow('--listen takes');
    },
  );

  it('is shown as a URL that can be used', () => {
    expect(addressUrl('127.0.0.1', 80)).toBe('http://127.0.0.1:80');
    expect(addressUrl('::1', 8080)).toBe('http://[::1]:8080');
  });
});
