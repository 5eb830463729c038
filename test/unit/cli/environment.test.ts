/** What programs of others, such as handlers, get of our environment: no password and no token, whatever holds it. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {environmentForOthers} from '../../../src/lib/cli/environment.js';
import {urlWithoutPassword} from '../../../src/lib/redact.js';
import {password} from '../../support/secrets.js';

describe('environmentForOthers', () => {
  it('leaves out what is secret by itself, also under names that only other versions know', () => {
    const secret = {
      STREAMLOG_PASSWORD: 's',
      STREAMLOG_TOKEN: 's',
      STREAMLOG_TOKENS: 's',
      STREAMLOG_SENTINEL_PASSWORD: 's',
      STREAMLOG_KEY_PASSPHRASE: 's',
    };
    expect(environmentForOthers(secret)).toEqual({});
  });

  it('passes on names of files, and all that is not ours', () => {
    const kept = {
      STREAMLOG_PASSWORD_FILE: '/run/secrets/redis',
      STREAMLOG_TOKEN_FILE: '/run/secrets/token',
      STREAMLOG_USERNAME: 'app',
      STREAMLOG_STREAM: 'orders',
      STREAMLOG_MODE: 'fast',
      DATABASE_PASSWORD: 'of the handler itself',
      PATH: '/bin',
      EMPTY: '',
    };
    expect(environmentForOthers(kept)).toEqual(kept);
  });

  it.each(['STREAMLOG_URL', 'REDIS_URL'])('takes the password out of %s', (name) => {
    expect(environmentForOthers({[name]: 'rediss://app:secret@redis:6380/2'})).toEqual({
      [name]: 'rediss://app@redis:6380/2',
    });
  });
});

describe('urlWithoutPassword', () => {
  it.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['redis://:pw@h:1/2', 'redis://h:1/2'],
    ['redis://app@h', 'redis://app@h'],
    ['redis+sentinel://u:p@h1:1,h2:2/main/0', 'redis+sentinel://u@h1:1,h2:2/main/0'],
    ['redis://u:p@q:r@h', 'redis://u@h'],
    ['unix://u:p@/run/redis.sock?db=1', 'unix://u@/run/redis.sock?db=1'],
    ['redis://h/0?sentinel-password=x&db=2&token=y', 'redis://h/0?db=2'],
    ['redis://:p/w@h', undefined],
    ['redis://:p?w@h', undefined],
    ['nonsense@', undefined],
  ])('%s becomes %s', (url, expected) => {
    expect(urlWithoutPassword(url)).toBe(expected);
  });

  it('keeps nothing of any password, encoded or as it is', () => {
    fc.assert(
      fc.property(password, fc.boolean(), (secret, encoded) => {
        const text = encoded ? encodeURIComponent(secret) : secret;
        expect(urlWithoutPassword(`redis://default:${text}@h:1/0`) ?? '').not.toContain('zQ9x');
      }),
    );
  });
});
