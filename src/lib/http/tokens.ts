/**
 * The bearer tokens that a server accepts. Several at a time, so that one can
 * replace another without a moment in which neither works. Invariant: tokens are
 * kept and compared as digests of equal length, all of them each time, so the
 * time it takes tells nothing about them.
 */
import {createHash, timingSafeEqual} from 'node:crypto';
import {StreamlogError} from '../errors.js';

export class Tokens {
  readonly #digests: readonly Buffer[];

  /** Throws a configuration failure when one is empty or could not be sent in a header, or when there are none. */
  constructor(texts: readonly string[]) {
    if (texts.length === 0 || texts.some((text) => !/^[\x21-\x7e]+$/.test(text))) {
      throw new StreamlogError('configuration', 'a token is a line of visible ASCII characters without spaces', {
        hint: 'make one: openssl rand -hex 32',
      });
    }
    this.#digests = texts.map(digest);
  }

  /** Whether an Authorization header carries one of the tokens, as `Bearer TOKEN`. */
  accepts(authorization: string | undefined): boolean {
    const given = digest(/^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let accepted = false;
    for (const known of this.#digests) accepted = timingSafeEqual(given, known) || accepted;
    return accepted;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
