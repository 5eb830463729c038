/**
 * Checks what comes from a socket before ioredis' parser, which allocates arrays
 * as long as they say they are and reads nested ones by recursion, and which fails
 * on a reply to nothing. Looks only at the frames of replies. Invariant: what
 * passes makes the parser use no more memory than its bytes and 8 for each
 * element, and go no deeper than MAX_DEPTH; anything else ends the connection.
 */
import type {Socket} from 'node:net';
import {Cluster, type Redis} from 'ioredis';
import {
  ARRAY,
  CR,
  ERROR,
  INTEGER,
  LF,
  MAX_ELEMENTS,
  MAX_REPLY_BYTES,
  MAX_STRING_BYTES,
  MINUS,
  STATUS,
  STRING,
  ZERO,
} from './resp-bytes.js';

type Listener = (chunk: Buffer) => void;

const MAX_LINE_BYTES = 1024 ** 2;
const MAX_DEPTH = 32;
const MAX_DIGITS = 19;

/** Guards every connection that `client` makes. */
export function guardReplies(client: Redis | Cluster): void {
  if (client instanceof Cluster) client.on('+node', (node: Redis) => guardReplies(node));
  // ioredis installs its decoder before it emits this.
  else client.on('connect', () => guardSocket(client as unknown as Guarded));
}

/** Private fields of an ioredis client (https://github.com/redis/ioredis/blob/main/lib/DataHandler.ts). */
interface Guarded {
  readonly stream: Socket;
  /** Commands without a reply. */
  readonly commandQueue: {readonly length: number};
  /** A subscriber receives messages that are not replies. */
  readonly condition: {readonly subscriber: unknown} | null;
}

function guardSocket(client: Guarded): void {
  const socket = client.stream;
  const [decoder] = socket.listeners('data');
  const guard = new ReplyGuard();
  const pass = decoder as Listener;
  socket.off('data', pass);
  socket.prependListener('data', (chunk: Buffer) => {
    try {
      let from = 0;
      // One by one: a reply may make ioredis end the commands in flight, and the next one then belongs to none.
      for (const end of guard.check(chunk)) {
        if (client.commandQueue.length === 0 && !client.condition?.subscriber) {
          // ioredis would interpret any reply here. Redis only sends an unrequested error before it closes the connection
          // (maxclients, protected mode), which ioredis reports.
          if (from > 0 || !guard.beganWithError) refuse('a reply to nothing');
          pass(chunk.subarray(from, end));
          socket.destroy();
          return;
        }
        pass(chunk.subarray(from, end));
        if (socket.destroyed) return;
        from = end;
      }
      if (from < chunk.length) pass(from === 0 ? chunk : chunk.subarray(from));
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
}

export class ReplyGuard {
  /** Of the reply that has begun. */
  #bytes = 0;
  #elements = 0;
  /** Where replies ended in the chunk of now. */
  #ends: number[] = [];
  #beganWithError = false;
  /** How many elements are left of each array that has begun, the innermost last. */
  readonly #left: number[] = [];
  /** Bytes of a string that are still to come, its carriage return included. */
  #skip = 0;
  /** The last byte was the CR of a line or string. A reply counts as complete from there, as for ioredis' decoder. */
  #awaitsLf = false;
  /** The line that has begun: what kind it is of, 0 for none, and its number so far. */
  #type = 0;
  #lineBytes = 0;
  #digits = 0;
  #negative = false;
  #number = 0;

  /** Whether the first reply that ended in the last chunk is an error: a chunk may begin anywhere within one, as with the `-` of `$-1`. */
  get beganWithError(): boolean {
    return this.#beganWithError;
  }

  /** Where replies end in `chunk`, at their last carriage return, and nils at their minus. Throws where the bytes, behind all before them, are no replies. */
  check(chunk: Buffer): readonly number[] {
    this.#ends = [];
    for (let at = 0; at < chunk.length; ) {
      const start = at;
      if (this.#awaitsLf) {
        if (chunk[at++] !== LF) refuse('a line has no end');
        this.#awaitsLf = false;
      } else if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) {
          this.#awaitsLf = true;
          this.#complete(at);
        }
      } else {
        at = this.#line(chunk, at);
      }
      this.#bytes += at - start;
      if (this.#bytes > MAX_REPLY_BYTES) refuse('a reply is larger than any of Redis');
    }
    return this.#ends;
  }

  /** Reads on in a line; returns where it stopped. */
  #line(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#type === 0) this.#begin(chunk[at++]!);
    const isText = this.#type === STATUS || this.#type === ERROR;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === CR) {
        this.#awaitsLf = true;
        this.#end(at + 1);
        return at + 1;
      }
      if (++this.#lineBytes > MAX_LINE_BYTES) refuse('a line is longer than any of Redis');
      if (!isText) this.#digit(byte, at + 1);
    }
    return at;
  }

  #begin(type: number): void {
    if (type !== STRING && type !== ARRAY && type !== INTEGER && type !== STATUS && type !== ERROR)
      refuse('a reply is of no kind that Redis has');
    this.#type = type;
    this.#lineBytes = 0;
    this.#digits = 0;
    this.#number = 0;
    this.#negative = false;
  }

  #digit(byte: number, next: number): void {
    if (byte === MINUS && this.#digits === 0 && !this.#negative) {
      this.#negative = true;
      // For ioredis' decoder a nil is complete here, and the next three bytes are skipped, which may come later.
      if (this.#type !== INTEGER) this.#complete(next);
      return;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9 || ++this.#digits > MAX_DIGITS) refuse('a number is none');
    this.#number = this.#number * 10 + digit;
  }

  #end(at: number): void {
    const type = this.#type;
    const isText = type === STATUS || type === ERROR;
    this.#type = 0;
    if (!isText && this.#digits === 0) refuse('a number is none');
    const isNil = this.#negative && type !== INTEGER && !isText;
    if (isNil && (this.#number !== 1 || this.#digits !== 1)) refuse('a length is below none');
    if (isNil) return;
    const isEmpty = type === ARRAY && this.#number === 0;
    if (isText || type === INTEGER || isEmpty) this.#complete(at, type === ERROR);
    else if (type === STRING) this.#beginString();
    else this.#beginArray();
  }

  #beginString(): void {
    if (this.#number > MAX_STRING_BYTES) refuse('a string is longer than any of Redis');
    this.#skip = this.#number + 1;
  }

  #beginArray(): void {
    this.#elements += this.#number;
    if (this.#elements > MAX_ELEMENTS) refuse('a list is longer than any of Redis');
    this.#left.push(this.#number);
    if (this.#left.length > MAX_DEPTH) refuse('lists are nested deeper than any of Redis');
  }

  /** A string, a line or an array has ended, and with it perhaps the arrays that it is the last of. */
  #complete(at: number, isError = false): void {
    const left = this.#left;
    const isWhole = left.length === 0;
    while (left.length > 0 && --left[left.length - 1]! === 0) left.pop();
    if (left.length > 0) return;
    if (this.#ends.length === 0) this.#beganWithError = isError && isWhole;
    this.#ends.push(at);
    this.#bytes = 0;
    this.#elements = 0;
  }
}

function refuse(reason: string): never {
  throw new Error(`Protocol error: ${reason}`);
}
