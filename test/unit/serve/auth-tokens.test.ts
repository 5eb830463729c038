import {describe, expect, it} from 'vitest';
import {serveTokens} from '../../../src/lib/cli/serve-flags.js';
import {AuthTokens} from '../../../src/lib/serve/clients.js';

describe('bearer tokens', () => {
  const tokens = new AuthTokens(['first-token', 'second']);

  it.each(['Bearer first-token', 'Bearer second', 'bearer second', 'BEARER  second '])('%j is accepted', (header) => {
    const name = tokens.identify(header);
    expect(name).toBe(tokens.identify(`Bearer ${header.includes('first') ? 'first-token' : 'second'}`));
    expect(name).toMatch(/^token [\w-]{22}$/);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer third',
    'Bearer first',
    'Bearer first-token2',
    'Bearer SECOND',
    'second',
    'Basic second',
    'Bearer first-token second',
    'xBearer second',
  ])('%j is refused', (header) => {
    expect(tokens.identify(header)).toBeUndefined();
  });

  it('have names that differ, stay the same in whatever order they are given, and do not tell the token', () => {
    const [first, second] = ['first-token', 'second'].map((text) => tokens.identify(`Bearer ${text}`));
    expect(first).not.toBe(second);
    expect(new AuthTokens(['second', 'x', 'first-token']).identify('Bearer first-token')).toBe(first);
    expect(first).not.toContain('first');
  });

  it.each([[['']], [['has space']], [['émoji']], [['line\nbreak']], [[]], [['good', '']]])(
    'that could never match are a bad configuration: %j',
    (texts) => {
      expect(() => new AuthTokens(texts)).toThrow('a token is a line of visible ASCII characters');
    },
  );

  it('are not quoted when they are bad', () => {
    expect(() => new AuthTokens(['my secret'])).toThrow(
      expect.not.objectContaining({message: expect.stringContaining('secret')}),
    );
  });
});

describe('serving', () => {
  const none = {'insecure-no-auth': false};
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const reading = {stopping: new AbortController().signal, warn};

  it('needs no token where only this machine can connect', async () => {
    expect(await serveTokens(none, {host: '127.0.0.1', port: 1}, reading, warn)).toBeUndefined();
  });

  it.each([undefined, '0.0.0.0', '192.0.2.1', 'example.com'])('refuses to start without one on %s', async (host) => {
    await expect(serveTokens(none, {host, port: 1}, reading, warn)).rejects.toThrow(
      expect.objectContaining({kind: 'configuration'}),
    );
  });

  it('starts without one where that is asked for', async () => {
    expect(await serveTokens({'insecure-no-auth': true}, {host: undefined, port: 1}, reading, warn)).toBeUndefined();
  });

  it('asks for a given token even so', async () => {
    expect(
      (
        await serveTokens({token: ['t'], 'insecure-no-auth': true}, {host: undefined, port: 1}, reading, warn)
      )?.identify('Bearer t'),
    ).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining('could be guessed')]);
  });
});
