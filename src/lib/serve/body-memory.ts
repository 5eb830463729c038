/**
 * The memory for bodies: how much of it each client holds, and who has to give
 * some back. Invariant: all bodies together take no more than the memory given
 * for them, and those of one client no more than its share, whatever clients
 * announce and however small the pieces are in which a body comes. A body that
 * is held back is stopped before a client is refused for want of memory, the
 * oldest of whoever holds the most first, and one that comes too slowly anyway.
 */
import {ClientShares} from './clients.js';

/** Why a body is not read to its end. */
export type BodyStop = 'overloaded' | 'timeout';

/** A body has so long before its rate is looked at, */
const GRACE_MS = 5_000;
/** and has to have come at this rate on the whole since it began. */
const MIN_BYTES_PER_SECOND = 500;
const LOOK_MS = 1_000;
/** A first piece below this is copied out of what it came in. */
const SMALL_BYTES = 16 * 1024;
/** Of what is copied together from pieces, at first. */
const FIRST_CAPACITY = 4 * 1024;

export class BodyMemory {
  readonly #shares: ClientShares;
  /** Those that are being read, the oldest first. */
  readonly #reading = new Set<HeldBody>();
  #timer: NodeJS.Timeout | undefined;

  constructor(maxBytes: number) {
    this.#shares = new ClientShares(maxBytes);
  }

  get heldBytes(): number {
    return this.#shares.held;
  }

  /** Whether the next body would be refused, though others were stopped for it. */
  get isFull(): boolean {
    let stoppable = 0;
    for (const {capacity} of this.#reading) stoppable += capacity;
    return this.#shares.held - stoppable >= this.#shares.total;
  }

  /** A body of `client` is about to be read. `onStop` is called at most once, and not after `end`. */
  begin(client: string, maxBytes: number, onStop: (reason: BodyStop) => void): HeldBody {
    const body = new HeldBody(this, client, maxBytes, onStop);
    this.#reading.add(body);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
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

  /** For `HeldBody`: it has come to its end. */
  endReading(body: HeldBody): void {
    this.#reading.delete(body);
  }

  /** For `HeldBody`. */
  give({client}: HeldBody, bytes: number): void {
    this.#shares.give(client, bytes);
  }

  /** Who has to make room for `bytes` of `body`. */
  #stoppable(body: HeldBody, bytes: number): HeldBody | undefined {
    const isOverShare = this.#shares.heldBy(body.client) + bytes > this.#shares.largest;
    const clients = isOverShare ? [body.client] : this.#shares.heaviestFirst;
    for (const client of clients)
      for (const other of this.#reading)
        if (other !== body && other.client === client && other.capacity > 0) return other;
    return undefined;
  }

  #look(): void {
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
  /** How many have come. */
  bytes = 0;
  /** How many are held for them: pieces are copied together, or a body of single bytes would take a hundredfold. */
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

  /** Takes the next piece, with which there are at most `maxBytes`. False where there is no memory. */
  add(piece: Buffer): boolean {
    const bytes = this.bytes + piece.length;
    if (bytes > this.capacity && !this.#grow(piece, bytes)) return false;
    if (this.bytes > 0) piece.copy(this.#content!, this.bytes);
    this.bytes = bytes;
    return true;
  }

  /** Counts what else is held for it until it is released. False where there is no memory. */
  charge(bytes: number): boolean {
    if (!this.#memory.take(this, bytes)) return false;
    this.capacity += bytes;
    return true;
  }

  /** All of it. From now on it is not stopped any more. */
  end(): Buffer {
    this.#memory.endReading(this);
    return this.#content?.subarray(0, this.bytes) ?? Buffer.alloc(0);
  }

  /** Gives the memory back. Does nothing the second time. */
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

  /** The first piece is kept as it came: mostly it is all. */
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

/** A small piece of what came with much else would keep all of that in memory. (To ask for `buffer` is dear in Bun.) */
const own = (piece: Buffer): Buffer =>
  piece.byteOffset > 0 && piece.length < SMALL_BYTES ? Buffer.from(piece) : piece;
