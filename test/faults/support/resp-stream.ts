/**
 * Where one RESP2 request or reply ends and the next begins, in bytes that
 * arrive in chunks of any size. Refuses to know what a command means, and
 * refuses RESP3. Invariant: the parts of all chunks, put together, are the
 * chunks, byte for byte.
 *
 * Each request has one reply, in MULTI too (+QUEUED, then one array for EXEC);
 * SUBSCRIBE, MONITOR and CLIENT REPLY, which break this rule, do not come here.
 */

/** A piece of one request or reply; the `last` one ends it. */
export interface Part {
  bytes: Buffer;
  last: boolean;
}

export interface Request {
  /** The command's name and its first argument in lower case: `['xgroup', 'create']`; empty for an empty line. */
  words: string[];
  bytes: Buffer;
}

/** Longer arguments are data: no subcommand and no hash of a script. */
const MAX_WORD = 64;
const NEWLINE = 10;
const HEADER = /^([*$])(-1|\d{1,10})\r\n$/;

/** Finds the ends in what one side says. Throws on bytes that are not RESP2. */
export class Framer {
  readonly #inline: boolean;
  /** Values that are still to come before the present request or reply is whole. */
  #values = 1;
  /** Bytes of a string, its line end included, that are still to come. */
  #stringBytes = 0;
  #line = '';
  #atStart = true;

  /** With `inline`, a line that is no array is a request too, as when typed with telnet. */
  constructor({inline = false} = {}) {
    this.#inline = inline;
  }

  /** The parts in `chunk`, in order; each is a view of it. */
  parts(chunk: Buffer): Part[] {
    const parts: Part[] = [];
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      at = this.#stringBytes > 0 ? this.#skipString(chunk, at) : this.#readLine(chunk, at);
      if (this.#values === 0) {
        parts.push({bytes: chunk.subarray(start, at), last: true});
        this.#values = 1;
        this.#atStart = true;
        start = at;
      }
    }
    if (start < at) parts.push({bytes: chunk.subarray(start), last: false});
    return parts;
  }

  #skipString(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#stringBytes, chunk.length - at);
    this.#stringBytes -= taken;
    if (this.#stringBytes === 0) this.#values -= 1;
    return at + taken;
  }

  #readLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(NEWLINE, at);
    const end = newline === -1 ? chunk.length : newline + 1;
    this.#line += chunk.toString('latin1', at, end);
    if (newline !== -1) {
      this.#header(this.#line);
      this.#line = '';
      this.#atStart = false;
    }
    return end;
  }

  #header(line: string): void {
    if (this.#inline && this.#atStart && !line.startsWith('*')) {
      this.#values = 0;
      return;
    }
    if (/^[+:-]/.test(line)) {
      this.#values -= 1;
      return;
    }
    const [, type, count] = HEADER.exec(line) ?? [];
    if (count === undefined) throw new Error(`no RESP2: ${JSON.stringify(line.slice(0, 80))}`);
    if (type === '$' && count !== '-1') this.#stringBytes = Number(count) + 2;
    else this.#values += Math.max(Number(count), 0) - 1;
  }
}

/** Collects what a client says into whole requests. Throws on bytes that are not RESP2. */
export class RequestReader {
  readonly #framer = new Framer({inline: true});
  #parts: Buffer[] = [];

  /** The requests that `chunk` completes, pipelined ones in their order. */
  read(chunk: Buffer): Request[] {
    const requests: Request[] = [];
    for (const {bytes, last} of this.#framer.parts(chunk)) {
      this.#parts.push(bytes);
      if (!last) continue;
      const whole = Buffer.concat(this.#parts);
      this.#parts = [];
      requests.push({words: wordsOf(whole), bytes: whole});
    }
    return requests;
  }
}

function wordsOf(request: Buffer): string[] {
  if (request[0] !== '*'.charCodeAt(0)) {
    return request.toString().trim().toLowerCase().split(/\s+/, 2).filter(Boolean);
  }
  let at = request.indexOf(NEWLINE) + 1;
  const words: string[] = [];
  while (words.length < 2 && at < request.length) {
    const start = request.indexOf(NEWLINE, at) + 1;
    const length = Number(request.toString('latin1', at + 1, start - 2));
    words.push(length > MAX_WORD ? '' : request.toString('utf8', start, start + length).toLowerCase());
    at = start + length + 2;
  }
  return words;
}
