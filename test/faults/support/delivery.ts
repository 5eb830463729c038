/**
 * One direction of one connection: what came from one socket, on its way to
 * the other, with the delays that faults put on it. Knows no protocol.
 * Invariant: bytes and the end of the connection arrive in the order they came, or not at all.
 */
import type {Socket} from 'node:net';
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Delays, Direction} from './delays.js';

/** Above this the source has to wait, so that a reader that stops is felt by the one who writes. */
const MAX_WAITING_BYTES = 256 * 1024;

type Item = {cameAt: number} & ({bytes: Buffer} | {ended: () => void});

export class Delivery {
  readonly #direction: Direction;
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #delays: Delays;
  readonly #items: Item[] = [];
  #waitingBytes = 0;
  #running = false;

  constructor(direction: Direction, source: Socket, target: Socket, delays: Delays) {
    this.#direction = direction;
    this.#source = source;
    this.#target = target;
    this.#delays = delays;
  }

  /** Sends `bytes` after all that came before. */
  push(bytes: Buffer): void {
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#source.pause();
    this.#add({cameAt: performance.now(), bytes});
  }

  /** Ends the target's side after all that came before; `ended` is called when that is done, or the target is gone. */
  end(ended: () => void = () => {}): void {
    this.#add({cameAt: performance.now(), ended});
  }

  #add(item: Item): void {
    this.#items.push(item);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      if ('bytes' in item) await this.#send(item.bytes, item.cameAt);
      else {
        await this.#due(item.cameAt);
        this.#target.end(item.ended);
      }
    }
    this.#running = false;
  }

  async #send(bytes: Buffer, cameAt: number): Promise<void> {
    for (let at = 0; at < bytes.length && this.#target.writable; ) {
      await this.#due(cameAt);
      const piece = bytes.subarray(at, at + this.#delays.pieceBytes(this.#direction));
      await new Promise((sent) => this.#target.write(piece, sent));
      at += piece.length;
      if (at < bytes.length) await nextTurn();
    }
    this.#waitingBytes -= bytes.length;
    if (this.#waitingBytes <= MAX_WAITING_BYTES) this.#source.resume();
  }

  async #due(cameAt: number): Promise<void> {
    for (;;) {
      const waitMs = this.#delays.waitMs(this.#direction, performance.now() - cameAt);
      if (waitMs <= 0 || !this.#target.writable) return;
      await this.#delays.change(waitMs);
    }
  }
}
