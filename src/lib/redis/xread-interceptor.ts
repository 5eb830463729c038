/**
 * Stands between a connection's socket and ioredis, and reads the replies of
 * entries itself, as ioredis makes objects of each of their strings. All else,
 * errors and "nothing came" included, passes through unseen, and in place of
 * what was read here ioredis gets a number, so that its account of commands,
 * its timeouts and the end of a connection are what they are without. Invariant:
 * ioredis sees one reply to each command, in their order.
 */
import type {Socket} from 'node:net';
import type {RawRecordBatch} from '../records/raw-record.js';
import {XreadDecoder} from './xread-decoder.js';

type Listener = (chunk: Buffer) => void;

/** A reply that is awaited: one line of any kind, or entries, in whose place an error or "nothing" may come, in a line. */
export type AwaitedReply = 'line' | 'entries';

const ARRAY = 0x2a;
const MINUS = 0x2d;
const LF = 0x0a;
/** What ioredis is given for a reply of entries. */
const PLACEHOLDER_REPLY = Buffer.from(':1\r\n');

export class XreadInterceptor {
  readonly #socket: Socket;
  readonly #pass: Listener;
  readonly #reader = new XreadDecoder();
  /** The replies that come next, in their order; whatever follows them passes through. */
  readonly #awaited: AwaitedReply[] = [];
  /** What was read and not asked for yet, in the order of the replies. */
  readonly #pages: RawRecordBatch[] = [];
  #state: 'begin' | 'line' | 'entries' = 'begin';
  /** The beginning of a reply, too short to tell what it is. */
  #rest: Buffer | undefined;

  /** On the socket of a client that is connected. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // ioredis puts its decoder first, and behind it what looks at how long the socket has been silent.
    const [decoder] = socket.listeners('data');
    this.#pass = decoder as Listener;
    socket.prependListener('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', this.#pass);
  }

  /** What comes behind all that is awaited already: to be said before it is asked for, while nothing else is. */
  expect(...replies: readonly AwaitedReply[]): void {
    this.#awaited.push(...replies);
  }

  /** The entries for which ioredis was given a number, the oldest first; undefined where it was given none. */
  entries(): RawRecordBatch | undefined {
    return this.#pages.shift();
  }

  #take(chunk: Buffer): void {
    try {
      const rest = this.#rest;
      this.#rest = undefined;
      this.#read(rest === undefined ? chunk : Buffer.concat([rest, chunk]));
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  #read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const left = at === 0 ? bytes : bytes.subarray(at);
      if (this.#awaited.length === 0) {
        this.#pass(left);
        return;
      }
      if (this.#state === 'begin' && !this.#begin(left)) return;
      at += this.#state === 'line' ? this.#line(left) : this.#entries(left);
    }
  }

  /** Sees what kind of reply begins; false where that is not yet to be seen. */
  #begin(bytes: Buffer): boolean {
    if (this.#awaited[0] === 'entries' && bytes[0] === ARRAY) {
      if (bytes.length === 1) {
        this.#rest = bytes;
        return false;
      }
      this.#state = bytes[1] === MINUS ? 'line' : 'entries';
    } else {
      this.#state = 'line';
    }
    return true;
  }

  /** How many of `bytes` belong to the line. */
  #line(bytes: Buffer): number {
    const lineEnd = bytes.indexOf(LF);
    const used = lineEnd === -1 ? bytes.length : lineEnd + 1;
    if (lineEnd !== -1) this.#end();
    this.#pass(bytes.subarray(0, used));
    return used;
  }

  /** How many of `bytes` belong to the entries. */
  #entries(bytes: Buffer): number {
    const used = this.#reader.read(bytes);
    if (used === undefined) return bytes.length;
    this.#pages.push(this.#reader.take());
    this.#end();
    this.#pass(PLACEHOLDER_REPLY);
    return used;
  }

  #end(): void {
    this.#awaited.shift();
    this.#state = 'begin';
  }
}
