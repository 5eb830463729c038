/**
 * The bearer tokens that a server accepts. Several at a time, so that one can
 * replace another without a moment in which neither works. Invariant: tokens are
 * kept and compared as digests of equal length, all of them each time, so the
 * time it takes tells nothing about them.
 */
import {createHash, timingSafeEqual} from 'node:crypto';
import {StreamlogError} from '../errors.js';

export class AuthTokens {
  #digests: readonly Buffer[] = [];
  #names: readonly string[] = [];

  /** Throws a configuration failure when one is empty or could not be sent in a header, or when there are none. */
  constructor(texts: readonly string[]) {
    this.replace(texts);
  }

  /** From now on these are accepted, and no others. Throws as the constructor does, and then nothing changes. */
  replace(texts: readonly string[]): void {
    if (texts.length === 0 || texts.some((text) => !/^[\x21-\x7e]+$/.test(text))) {
      throw new StreamlogError('configuration', 'a token is a line of visible ASCII characters without spaces', {
        hint: 'make one: openssl rand -hex 32',
      });
    }
    this.#digests = texts.map(digest);
    this.#names = this.#digests.map((bytes) => `token ${digest(bytes).toString('base64url').slice(0, 22)}`);
  }

  /**
   * A name for the token that an Authorization header carries as `Bearer TOKEN`, undefined when it is none of these.
   * The name is always the same for the same token, and does not tell it.
   */
  identify(authorization: string | undefined): string | undefined {
    const given = digest(/^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let found: number | undefined;
    this.#digests.forEach((known, index) => {
      if (timingSafeEqual(given, known)) found = index;
    });
    return found === undefined ? undefined : this.#names[found];
  }
}

const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();
