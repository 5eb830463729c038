/**
 * The text of a filter expression, character by character: quotes, backslashes and blanks. Invariant: a character that was
 * quoted or escaped is never taken for an operator, a wildcard or a dot, and each mistake is shown where it is.
 */
import {StreamlogError} from '../errors.js';

/** A character of a name or value. */
export interface Character {
  readonly bytes: Buffer;
  /** The character, where it may have a meaning of its own; undefined in quotes and behind a backslash. */
  readonly plain: string | undefined;
}

/** A name or value as it was written. */
export interface Word {
  readonly at: number;
  readonly isQuoted: boolean;
  readonly characters: readonly Character[];
}

const CONTROLS: Record<string, string> = {n: '\n', t: '\t', r: '\r', '0': '\0'};
const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\n';

export class ExpressionReader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The failure of what is at `at`: exit code 2, and the expression with a caret below it. */
  failure(message: string, at: number, hint?: string): StreamlogError {
    return new StreamlogError('usage', message, {hint, excerpt: {text: this.text, at}});
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character, without reading it. */
  get next(): string | undefined {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  skipBlanks(): void {
    while (isBlank(this.next)) this.at++;
  }

  /** Reads `expected` if it comes next. */
  takes(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** All that is left, without the blanks around it. */
  rest(): string {
    this.skipBlanks();
    const text = this.text.slice(this.at).trimEnd();
    this.at = this.text.length;
    return text;
  }

  /** Up to the first character that `ends` it, without the blanks around it. */
  word(ends: (char: string) => boolean): Word {
    this.skipBlanks();
    const {at} = this;
    if (this.next === '"') return this.#quoted(ends);
    const characters: Character[] = [];
    let length = 0;
    while (!this.isAtEnd && !ends(this.next!)) {
      const char = this.next!;
      characters.push(char === '\\' ? this.#escaped() : this.#plain(char));
      if (!isBlank(characters.at(-1)!.plain)) length = characters.length;
    }
    return {at, isQuoted: false, characters: characters.slice(0, length)};
  }

  #plain(char: string): Character {
    this.at += char.length;
    return {bytes: Buffer.from(char), plain: char};
  }

  #quoted(ends: (char: string) => boolean): Word {
    const {at} = this;
    const characters: Character[] = [];
    this.at++;
    while (this.next !== '"') {
      if (this.isAtEnd) throw this.failure('the closing quote is missing', at);
      characters.push(this.next === '\\' ? this.#escaped() : {bytes: this.#plain(this.next!).bytes, plain: undefined});
    }
    this.at++;
    this.skipBlanks();
    if (!this.isAtEnd && !ends(this.next!))
      throw this.failure('nothing may follow the closing quote here', this.at, 'write a quote inside a text as \\"');
    return {at, isQuoted: true, characters};
  }

  #escaped(): Character {
    const {at} = this;
    this.at++;
    const char = this.next;
    if (char === undefined) throw this.failure('nothing follows the backslash', at, 'write a backslash as \\\\');
    this.at += char.length;
    const hex = char === 'x' ? /^[0-9a-fA-F]{2}/.exec(this.text.slice(this.at)) : null;
    if (hex !== null) {
      this.at += 2;
      return {bytes: Buffer.from(hex[0], 'hex'), plain: undefined};
    }
    if (/^[\p{L}\p{N}]$/u.test(char) && !Object.hasOwn(CONTROLS, char))
      throw this.failure(
        `unknown escape "\\${char}"`,
        at,
        'there are \\n \\t \\r \\0 \\xNN; a backslash is written as \\\\',
      );
    return {bytes: Buffer.from(CONTROLS[char] ?? char), plain: undefined};
  }
}

/** The bytes of `characters`. */
export const bytesOf = (characters: readonly Character[]): Buffer => Buffer.concat(characters.map(({bytes}) => bytes));
