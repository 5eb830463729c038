/**
 * Decodes replies of entries before ioredis sees them, which makes an object of each string
 * (https://github.com/redis/ioredis/blob/main/lib/DataHandler.ts). ioredis gets a placeholder in their place, and all
 * other replies unchanged (docs/adr/0010). Invariant: ioredis sees one reply for each command, in order.
 */
import type {Socket} from 'node:net';
import type {RawRecordBatch} from '../records/raw-record.js';
import {ARRAY, LF, MINUS} from './resp-bytes.js';
import {XreadDecoder} from './xread-decoder.js';

type Listener = (chunk: Buffer) => void;

/**
 * A reply that is expected: one line of any kind, or entries, instead of which an error or nil may come in a line; 'entries'
 * below the name of their stream, as of XREAD, and 'range' alone, as of XRANGE.
 */
export type AwaitedReply = 'line' | 'entries' | 'range';

/** Stands for a reply of entries. */
const PLACEHOLDER_REPLY = Buffer.from(':1\r\n');

export class XreadInterceptor {
  readonly #socket: Socket;
  readonly #pass: Listener;
  readonly #reader = new XreadDecoder();
  /** The replies that come next, in order; anything after them passes through. */
  readonly #awaited: AwaitedReply[] = [];
  /** Decoded and not fetched yet, in the order of the replies. */
  readonly #pages: RawRecordBatch[] = [];
  #state: 'begin' | 'line' | 'entries' = 'begin';
  /** The start of a reply, too short to know its kind. */
  #rest: Buffer | undefined;

  /** On the socket of a client that is connected. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // The first listener is ioredis' decoder; the next one is its socket timeout.
    const [decoder] = socket.listeners('data');
    this.#pass = decoder as Listener;
    socket.prependListener('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', this.#pass);
  }

  /** Announces replies after those that are expected already: to be called before the commands are sent. */
  expect(...replies: readonly AwaitedReply[]): void {
    this.#awaited.push(...replies);
  }

  /** The oldest entries for which ioredis got a placeholder; undefined if there are none. */
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

  /** Finds out what kind of reply begins; false while that is not known. */
  #begin(bytes: Buffer): boolean {
    if (this.#awaited[0] !== 'line' && bytes[0] === ARRAY) {
      if (bytes.length === 1) {
        this.#rest = bytes;
        return false;
      }
      this.#state = bytes[1] === MINUS ? 'line' : 'entries';
      if (this.#awaited[0] === 'range') this.#reader.beginRange();
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
