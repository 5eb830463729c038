/**
 * The bodies of requests: how they are read, and the memory that they share.
 * Invariant: all bodies together take no more than the memory given for them, and
 * those of one client no more than its share, however small the pieces in which a
 * body comes; a body that did not arrive whole is never returned.
 */
import type {IncomingMessage} from 'node:http';
import {ClientShares} from './clients.js';
import {Refusal} from './responses.js';

/** Why a body is not read to its end. */
type BodyStop = 'overloaded' | 'timeout';

/** The average rate at which a body has to arrive, checked after a grace period. */
const MIN_BYTES_PER_SECOND = 500;
const GRACE_MS = 5_000;
const CHECK_MS = 1_000;
/** A first piece below this is copied, so that it does not keep the larger buffer that it came in. */
const SMALL_BYTES = 16 * 1024;
/** The first capacity of a body that comes in several pieces. */
const FIRST_CAPACITY = 4 * 1024;
/**
 * Chunks of single bytes would cost a thousand times as much as a whole body: this many may be small, and beyond it
 * the average may not.
 */
const MAX_SMALL_PIECES = 1_024;
const SMALL_PIECE_BYTES = 16;

/** The client closed its connection before its request was whole. */
export class ClientGone extends Error {
  constructor() {
    super('the client closed the connection');
    this.name = 'ClientGone';
  }
}

export interface BodyOptions {
  readonly maxBytes: number;
  readonly memory: BodyMemory;
  /** The client whose share the body takes. */
  readonly client: string;
}

/**
 * Reads a body whose header was checked. `done` has to release what it is given. `failed` gets a Refusal beyond
 * `maxBytes`, without memory, or when the client is too slow; ClientGone when the body does not arrive whole.
 */
export function readBody(
  request: IncomingMessage,
  {maxBytes, memory, client}: BodyOptions,
  done: (held: HeldBody) => void,
  failed: (error: Refusal | ClientGone) => void,
): void {
  let isOver = false;
  let pieces = 0;
  const fail = (error: Refusal | ClientGone): void => {
    isOver = true;
    held.release();
    failed(error);
  };
  const refuse = (code: 'overloaded' | 'timeout' | 'too_large' | 'too_many_chunks'): void => {
    request.pause();
    fail(new Refusal(code));
  };
  const held = memory.begin(client, maxBytes, refuse);
  request.on('data', (chunk: Buffer) => {
    // After a refusal, the rest may be read and discarded.
    if (isOver) return;
    if (++pieces > MAX_SMALL_PIECES + held.bytes / SMALL_PIECE_BYTES) refuse('too_many_chunks');
    else if (held.bytes + chunk.length > maxBytes) refuse('too_large');
    else if (!held.add(chunk)) refuse('overloaded');
  });
  request.on('end', () => {
    if (isOver) return;
    // The parsers of both runtimes guarantee this; an incomplete body is still never used.
    const announced = request.headers['content-length'];
    if (announced !== undefined && Number(announced) !== held.bytes) {
      fail(new ClientGone());
      return;
    }
    isOver = true;
    done(held);
  });
  request.on('close', () => {
    if (!isOver) fail(new ClientGone());
  });
}

/**
 * The memory for bodies. Before a body is refused for want of memory, others that are still being read are stopped:
 * the oldest one of the client that holds the most.
 */
export class BodyMemory {
  readonly #shares: ClientShares;
  /** The bodies that are being read, the oldest first. */
  readonly #reading = new Set<HeldBody>();
  #timer: NodeJS.Timeout | undefined;

  constructor(maxBytes: number) {
    this.#shares = new ClientShares(maxBytes);
  }

  get heldBytes(): number {
    return this.#shares.held;
  }

  /** Whether the next body would be refused, even if all others that are being read were stopped. */
  get isFull(): boolean {
    let stoppable = 0;
    for (const {capacity} of this.#reading) stoppable += capacity;
    return this.#shares.held - stoppable >= this.#shares.total;
  }

  /** Starts a body. `onStop` is called at most once, and not after `end`. */
  begin(client: string, maxBytes: number, onStop: (reason: BodyStop) => void): HeldBody {
    const body = new HeldBody(this, client, maxBytes, onStop);
    this.#reading.add(body);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
    return body;
  }

  /** For `HeldBody`: false where there is no room. */
  take(body: HeldBody, bytes: number): boolean {
    while (!this.#shares.hasRoom(body.client, bytes)) {
      const other = this.#stoppable(body, bytes);
      if (other === undefined) return false;
      other.stop('overloaded');
    }
    this.#shares.take(body.client, bytes);
    return true;
  }

  /** For `HeldBody`: it is not being read any more. */
  endReading(body: HeldBody): void {
    this.#reading.delete(body);
  }

  /** For `HeldBody`. */
  give({client}: HeldBody, bytes: number): void {
    this.#shares.give(client, bytes);
  }

  /** The body to stop to make room for `bytes` of `body`. */
  #stoppable(body: HeldBody, bytes: number): HeldBody | undefined {
    const isOverShare = this.#shares.heldBy(body.client) + bytes > this.#shares.largest;
    const clients = isOverShare ? [body.client] : this.#shares.heaviestFirst;
    for (const client of clients)
      for (const other of this.#reading)
        if (other !== body && other.client === client && other.capacity > 0) return other;
    return undefined;
  }

  #check(): void {
    const nowMs = performance.now();
    for (const body of this.#reading) {
      const ageMs = nowMs - body.sinceMs;
      if (ageMs < GRACE_MS) break;
      if (body.bytes < (MIN_BYTES_PER_SECOND * ageMs) / 1_000) body.stop('timeout');
    }
    if (this.#reading.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** One body, in memory. */
export class HeldBody {
  readonly client: string;
  readonly sinceMs = performance.now();
  /** How many have arrived. */
  bytes = 0;
  /** How many are allocated. Pieces are copied into one buffer: kept apart, small ones would take a hundred times more. */
  capacity = 0;
  readonly #memory: BodyMemory;
  readonly #maxBytes: number;
  readonly #onStop: (reason: BodyStop) => void;
  #content: Buffer | undefined;

  constructor(memory: BodyMemory, client: string, maxBytes: number, onStop: (reason: BodyStop) => void) {
    this.#memory = memory;
    this.client = client;
    this.#maxBytes = maxBytes;
    this.#onStop = onStop;
  }

  /** Adds the next piece, which must not exceed `maxBytes`. False without memory for it. */
  add(piece: Buffer): boolean {
    const bytes = this.bytes + piece.length;
    if (bytes > this.capacity && !this.#grow(piece, bytes)) return false;
    if (this.bytes > 0) piece.copy(this.#content!, this.bytes);
    this.bytes = bytes;
    return true;
  }

  /** Counts further memory, until the body is released. False without it. */
  charge(bytes: number): boolean {
    if (!this.#memory.take(this, bytes)) return false;
    this.capacity += bytes;
    return true;
  }

  /** All of the body. From now on it is not stopped any more. */
  end(): Buffer {
    this.#memory.endReading(this);
    return this.#content?.subarray(0, this.bytes) ?? Buffer.alloc(0);
  }

  /** Frees the memory. Does nothing the second time. */
  release(): void {
    this.#memory.endReading(this);
    if (this.capacity > 0) this.#memory.give(this, this.capacity);
    this.capacity = 0;
    this.#content = undefined;
  }

  stop(reason: BodyStop): void {
    this.#memory.endReading(this);
    this.#onStop(reason);
  }

  /** The first piece is kept as it is, since usually it is all. */
  #grow(piece: Buffer, bytes: number): boolean {
    const capacity =
      this.bytes === 0 ? piece.length : Math.max(bytes, Math.min(this.#maxBytes, Math.max(2 * bytes, FIRST_CAPACITY)));
    if (!this.#memory.take(this, capacity - this.capacity)) return false;
    this.capacity = capacity;
    const before = this.#content;
    this.#content = this.bytes === 0 ? own(piece) : Buffer.allocUnsafeSlow(capacity);
    before?.copy(this.#content, 0, 0, this.bytes);
    return true;
  }
}

/** Copies a small part of a larger buffer. */
const own = (piece: Buffer): Buffer =>
  piece.byteOffset > 0 && piece.length < SMALL_BYTES ? Buffer.from(piece) : piece;
