/**
 * Reads JSON objects, one or an array of them, without losing anything: numbers
 * keep their source text, since `12345678901234567890` and `1.0` do not survive
 * JSON.parse; repeated keys are an error, since JSON.parse keeps the last one
 * silently; nested values keep their text, without the space between tokens.
 * Knows JSON and nothing of streams. Invariant: what it accepts is valid JSON,
 * nested at most MAX_DEPTH deep.
 */
export interface Member {
  readonly key: string;
  readonly kind: 'string' | 'number' | 'true' | 'false' | 'null' | 'nested';
  /** A string's decoded text; for all else, JSON text. */
  readonly text: string;
  /** Where the value begins, counted from 1. */
  readonly column: number;
}

/** What is wrong with a JSON text, and where. Its message never quotes the text. */
export class BadJson extends Error {
  readonly column: number;

  constructor(reason: string, column: number) {
    super(reason);
    this.name = 'BadJson';
    this.column = column;
  }
}

/** Said of what stands behind the one object of a text. */
export const BEHIND_OBJECT = 'expected the end of the line after the object';
/** Objects and arrays within each other, the outermost included. */
export const MAX_DEPTH = 256;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The members of the object that `text` is, in order. Throws BadJson. */
export function readMembers(text: string): Member[] {
  const scanner = new Scanner(text);
  return scanner.document();
}

/**
 * The members of each object in the array that `text` is: `take` gets them one
 * object at a time, with the column where the object begins, so that it knows
 * how many came before a bad one and can stop by throwing. Throws BadJson.
 */
export function readObjects(text: string, take: (members: Member[], column: number) => void): void {
  new Scanner(text).objects(take);
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
    this.#list(1, ']', () => {
      const column = this.#at + 1;
      if (this.#text[this.#at] !== '{') throw this.#bad('a record is a JSON object: {"field":"value"}');
      take(this.members(), column);
    });
    this.#space();
    if (this.#at < this.#text.length) throw this.#bad('expected nothing after the array');
  }

  members(): Member[] {
    const members: Member[] = [];
    const seen = new Set<string>();
    this.#object(1, (column) => {
      const key = this.#string();
      if (seen.has(key))
        throw new BadJson('the same key comes twice; give repeated fields as "pairs" with --input envelope', column);
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
    const first = this.#text[this.#at];
    if (first === '"') this.#string();
    else if (first === '{') this.#object(depth + 1, () => this.#keyAndValue(depth + 1));
    else if (first === '[') this.#array(depth + 1);
    else if (!this.#word('true') && !this.#word('false') && !this.#word('null')) this.#number();
  }

  #keyAndValue(depth: number): void {
    this.#string();
    this.#colon();
    this.#value(depth);
  }

  #object(depth: number, member: (column: number) => void): void {
    this.#list(depth, '}', () => {
      if (this.#text[this.#at] !== '"') throw this.#bad('expected a key in double quotes');
      member(this.#at + 1);
    });
  }

  #array(depth: number): void {
    this.#list(depth, ']', () => this.#value(depth));
  }

  /** From an opening bracket to behind its closing one, with `item` for what is between the commas. */
  #list(depth: number, closing: string, item: () => void): void {
    if (depth > MAX_DEPTH) throw this.#bad(`it is nested more than ${MAX_DEPTH} deep`);
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === closing) {
      this.#at++;
      return;
    }
    for (;;) {
      item();
      this.#space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== closing) throw this.#bad(`expected , or ${closing}`);
      this.#at++;
      if (next === closing) return;
      this.#space();
    }
  }

  #colon(): void {
    this.#space();
    if (this.#text[this.#at] !== ':') throw this.#bad('expected : after a key');
    this.#at++;
    this.#space();
  }

  /** Decodes the string that begins here and moves behind it. */
  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return escaped ? this.#decode(start) : this.#text.slice(start + 1, at);
      }
      if (code < 0x20) throw new BadJson('a control character in a string must be escaped', at + 1);
      if (code === 0x5c) {
        escaped = true;
        at++;
      }
    }
    throw new BadJson('a string does not end', start + 1);
  }

  #decode(start: number): string {
    let decoded: string;
    try {
      decoded = JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      throw new BadJson('a string has an unknown escape', start + 1);
    }
    if (!decoded.isWellFormed()) throw new BadJson('half a surrogate pair cannot be stored as UTF-8', start + 1);
    return decoded;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #number(): void {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#bad('expected a value');
    this.#at += match[0].length;
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #bad(reason: string): BadJson {
    const ended = this.#at >= this.#text.length && this.#text.length > 0;
    return new BadJson(ended ? `${reason}, but the line ends` : reason, this.#at + 1);
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** A valid JSON text without the space between its tokens. */
function withoutSpace(json: string): string {
  if (!/[ \t\r\n]/.test(json)) return json;
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json[at]!;
    if (char === '"') {
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
    } else if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
      parts.push(json.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(json.slice(start));
  return parts.join('');
}
