/**
 * Reads JSON objects, one or an array of them, without losing anything: numbers
 * keep their source text, since `12345678901234567890` and `1.0` do not survive
 * JSON.parse; repeated keys are an error, since JSON.parse keeps the last one
 * silently; nested values keep their text, without the space between tokens.
 * Invariant: what it accepts is valid JSON,
 * nested at most MAX_DEPTH deep.
 */
import {withoutSpace} from '../records/compact-json.js';
import {BadJson, BEHIND_OBJECT, HALF_PAIR, RepeatedKey} from './bad-json.js';

export interface Member {
  readonly key: string;
  readonly kind: 'string' | 'number' | 'true' | 'false' | 'null' | 'nested';
  /** A string's decoded text; for all else, JSON text. */
  readonly text: string;
  /** Where the value begins, counted from 1. */
  readonly column: number;
}

/** Objects and arrays within each other, the outermost included. */
export const MAX_DEPTH = 256;

const [QUOTE, COLON, COMMA] = [0x22, 0x3a, 0x2c] as const;
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [0x7b, 0x7d, 0x5b, 0x5d] as const;
const [MINUS, PLUS, POINT, ZERO, NINE, SMALL_E, LARGE_E] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x65, 0x45] as const;
const [SMALL_T, SMALL_F, SMALL_N] = [0x74, 0x66, 0x6e] as const;

/** The members of the object that `text` is, in order. Throws BadJson. */
export function readMembers(text: string): Member[] {
  const fastPath = new Scanner(text);
  return fastPath.document();
}

/**
 * The members of each object in the array that `text` is: `take` gets them one
 * object at a time, with the column where the object begins, so that it knows
 * how many came before a bad one and can stop by throwing. Throws BadJson.
 */
export function readObjects(text: string, take: (members: Member[], column: number) => void): void {
  new Scanner(text).objects(take);
}

/** The same for the array that is the value of `member`, which must come from `text`. */
export function readObjectsOf(member: Member, text: string, take: (members: Member[], column: number) => void): void {
  new Scanner(text, member.column - 1).array(take);
}

/** The members of the object that is the value of `member`, which must come from `text`; so do their columns. Throws BadJson. */
export function readMembersOf(member: Member, text: string): Member[] {
  return new Scanner(text, member.column - 1).members();
}

class Scanner {
  readonly #text: string;
  #at: number;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  document(): Member[] {
    this.#space();
    if (this.#text[this.#at] !== '{')
      throw this.#bad(this.#at === this.#text.length ? 'it is empty' : 'a record is a JSON object: {"field":"value"}');
    const members = this.members();
    this.#space();
    if (this.#at < this.#text.length) throw this.#bad(BEHIND_OBJECT);
    return members;
  }

  objects(take: (members: Member[], column: number) => void): void {
    this.#space();
    if (this.#text[this.#at] !== '[') throw this.#bad('expected an array of records');
    this.array(take);
    this.#space();
    if (this.#at < this.#text.length) throw this.#bad('expected nothing after the array');
  }

  /** The objects in an array, from its opening bracket on. */
  array(take: (members: Member[], column: number) => void): void {
    this.#list(1, ARRAY_END, () => {
      const column = this.#at + 1;
      if (this.#text[this.#at] !== '{') throw this.#bad('a record is a JSON object: {"field":"value"}');
      take(this.members(), column);
    });
  }

  members(): Member[] {
    const members: Member[] = [];
    const seen = new Set<string>();
    this.#object(1, (column) => {
      const key = this.#string();
      if (seen.has(key)) throw new RepeatedKey(column);
      seen.add(key);
      this.#colon();
      members.push(this.#member(key));
    });
    return members;
  }

  #member(key: string): Member {
    const start = this.#at;
    const column = start + 1;
    const first = this.#text[start];
    if (first === '"') return {key, kind: 'string', text: this.#string(), column};
    this.#value(1);
    const source = this.#text.slice(start, this.#at);
    if (first === '{' || first === '[') return {key, kind: 'nested', text: withoutSpace(source), column};
    const kind = first === 't' ? 'true' : first === 'f' ? 'false' : first === 'n' ? 'null' : 'number';
    return {key, kind, text: source, column};
  }

  /** Checks a value and moves behind it. */
  #value(depth: number): void {
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        this.#string('kept');
        break;
      case OBJECT:
        this.#nested(depth + 1, OBJECT_END);
        break;
      case ARRAY:
        this.#nested(depth + 1, ARRAY_END);
        break;
      case SMALL_T:
        this.#word('true');
        break;
      case SMALL_F:
        this.#word('false');
        break;
      case SMALL_N:
        this.#word('null');
        break;
      default:
        this.#number();
    }
  }

  /** The same as `#list`, for what is kept as it is: without a call of a function for each item, of which there may be very many. */
  #nested(depth: number, closing: number): void {
    this.#open(depth);
    if (this.#text.charCodeAt(this.#at) === closing) {
      this.#at++;
      return;
    }
    for (;;) {
      if (closing === OBJECT_END) {
        this.#requireKey();
        this.#string('kept');
        this.#colon();
      }
      this.#value(depth);
      if (this.#isClosed(closing)) return;
    }
  }

  #object(depth: number, member: (column: number) => void): void {
    this.#list(depth, OBJECT_END, () => {
      this.#requireKey();
      member(this.#at + 1);
    });
  }

  #requireKey(): void {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#bad('expected a key in double quotes');
  }

  /** From an opening bracket to behind its closing one, with `item` for what is between the commas. */
  #list(depth: number, closing: number, item: () => void): void {
    this.#open(depth);
    if (this.#text.charCodeAt(this.#at) === closing) {
      this.#at++;
      return;
    }
    do item();
    while (!this.#isClosed(closing));
  }

  /** Moves behind an opening bracket and the space behind it. */
  #open(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#bad(`it is nested more than ${MAX_DEPTH} deep`);
    this.#at++;
    this.#space();
  }

  /** Moves behind the closing bracket, or behind a comma and the space behind it. */
  #isClosed(closing: number): boolean {
    this.#space();
    const next = this.#text.charCodeAt(this.#at);
    if (next !== COMMA && next !== closing) throw this.#bad(`expected , or ${String.fromCharCode(closing)}`);
    this.#at++;
    if (next === closing) return true;
    this.#space();
    return false;
  }

  #colon(): void {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== COLON) throw this.#bad('expected : after a key');
    this.#at++;
    this.#space();
  }

  /** Decodes the string that begins here and moves behind it. One that is kept as it is may have half a surrogate pair, in ASCII. */
  #string(use: 'decoded' | 'kept' = 'decoded'): string {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return escaped ? this.#decode(start, use) : this.#text.slice(start + 1, at);
      }
      if (code < 0x20) throw new BadJson('a control character in a string must be escaped', at + 1);
      if (code === 0x5c) {
        escaped = true;
        at++;
      }
    }
    throw new BadJson('a string does not end', start + 1);
  }

  #decode(start: number, use: 'decoded' | 'kept'): string {
    let decoded: string;
    try {
      decoded = JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      throw new BadJson('a string has an unknown escape', start + 1);
    }
    if (use === 'decoded' && !decoded.isWellFormed()) throw new BadJson(HALF_PAIR, start + 1);
    return decoded;
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) throw this.#bad('expected a value');
    this.#at += word.length;
  }

  /** As the grammar of JSON has it; what is behind the longest number that begins here is not looked at. */
  #number(): void {
    const text = this.#text;
    let at = this.#at;
    if (text.charCodeAt(at) === MINUS) at++;
    if (text.charCodeAt(at) === ZERO) at++;
    else if (isDigit(text.charCodeAt(at))) at = this.#behindDigits(at);
    else throw this.#bad('expected a value');
    if (text.charCodeAt(at) === POINT && isDigit(text.charCodeAt(at + 1))) at = this.#behindDigits(at + 1);
    const exponent = text.charCodeAt(at);
    if (exponent === SMALL_E || exponent === LARGE_E) {
      const sign = text.charCodeAt(at + 1);
      const digits = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
      if (isDigit(text.charCodeAt(digits))) at = this.#behindDigits(digits);
    }
    this.#at = at;
  }

  #behindDigits(start: number): number {
    let at = start;
    while (isDigit(this.#text.charCodeAt(at))) at++;
    return at;
  }

  #space(): void {
    const text = this.#text;
    let at = this.#at;
    while (isSpace(text.charCodeAt(at))) at++;
    this.#at = at;
  }

  #bad(reason: string): BadJson {
    const ended = this.#at >= this.#text.length && this.#text.length > 0;
    return new BadJson(ended ? `${reason}, but the line ends` : reason, this.#at + 1);
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
