/**
 * Stands between a connection's socket and ioredis, and reads the replies of
 * entries itself, as ioredis makes objects of each of their strings. All else,
 * errors and "nothing came" included, passes through unseen, and in place of
 * what was read here ioredis gets a number, so that its account of commands,
 * its timeouts and the end of a connection are what they are without. Invariant:
 * ioredis sees one reply to each command.
 */
import type {Socket} from 'node:net';
import type {MarkedPage} from '../marked-record.js';
import {EntryReader} from './entry-reader.js';

type Listener = (chunk: Buffer) => void;

const ARRAY = 0x2a;
const MINUS = 0x2d;
/** What ioredis is given for a reply of entries. */
const STAND_IN = Buffer.from(':1\r\n');
const NOTHING = Buffer.alloc(0);

export class EntryTap {
  readonly #socket: Socket;
  readonly #pass: Listener;
  readonly #reader = new EntryReader();
  #state: 'passing' | 'awaiting' | 'reading' = 'passing';
  /** The beginning of a reply, too short to tell what it is. */
  #rest: Buffer = NOTHING;

  /** On the socket of a client that is connected. */
  constructor(socket: Socket) {
    this.#socket = socket;
    // ioredis puts its decoder first, and behind it what looks at how long the socket has been silent.
    const [decoder] = socket.listeners('data');
    this.#pass = decoder as Listener;
    socket.prependListener('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', this.#pass);
  }

  /** The next reply on the connection is one of entries: to be said when no other is awaited, before it is asked for. */
  expect(): void {
    this.#state = 'awaiting';
  }

  /** The entries for which ioredis was given the number. */
  entries(): MarkedPage {
    return this.#reader.take();
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#state === 'passing') this.#pass(chunk);
      else if (this.#state === 'reading') this.#read(chunk);
      else this.#begin(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  #begin(chunk: Buffer): void {
    this.#rest = NOTHING;
    if (chunk[0] === ARRAY && chunk.length === 1) {
      this.#rest = chunk;
    } else if (chunk[0] === ARRAY && chunk[1] !== MINUS) {
      this.#state = 'reading';
      this.#read(chunk);
    } else {
      this.#state = 'passing';
      this.#pass(chunk);
    }
  }

  #read(chunk: Buffer): void {
    const used = this.#reader.read(chunk);
    if (used === undefined) return;
    this.#state = 'passing';
    this.#pass(STAND_IN);
    if (used < chunk.length) this.#pass(chunk.subarray(used));
  }
}
