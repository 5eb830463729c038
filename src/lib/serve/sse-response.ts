/**
 * One answer that goes on: server-sent events on a connection. Knows no entries
 * and no Redis. Invariant: what waits for a client that does not read is never
 * more than one `send`, and a client that is gone never keeps anyone waiting.
 */
import type {ServerResponse} from 'node:http';

/** How long a client may take for the end of a stream before its connection is closed. */
const FAREWELL_MS = 1_000;

export class SseResponse {
  /** Aborted when nothing more is to be sent: the client has gone, or the server is stopping. */
  readonly ended: AbortSignal;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  /** Whether something was sent since the last heartbeat, or cannot be sent now. */
  #busy = false;

  /** Sends a comment after `heartbeatMs` of silence, so that nothing between here and the client takes it for dead. */
  constructor(response: ServerResponse, {heartbeatMs, stopping}: {heartbeatMs: number; stopping: AbortSignal}) {
    this.#response = response;
    this.ended = AbortSignal.any([stopping, this.#gone.signal]);
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    response.on('error', () => {});
    response.once('close', () => this.#leave());
    // A client that left while the answer was made is not told of again.
    if (response.destroyed || response.socket?.destroyed !== false) this.#leave();
  }

  /** Resolves when the client takes more, or nothing more is to be sent. */
  async send(text: string): Promise<void> {
    if (this.ended.aborted) return;
    this.#busy = true;
    if (this.#response.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.ended.removeEventListener('abort', done);
        resolve();
      };
      this.#response.once('drain', done);
      this.ended.addEventListener('abort', done);
    });
  }

  /** Ends the answer. */
  end(): void {
    clearInterval(this.#heartbeat);
    if (this.#gone.signal.aborted) return;
    const farewell = setTimeout(() => this.#response.socket?.destroy(), FAREWELL_MS);
    this.#response.once('close', () => clearTimeout(farewell));
    this.#response.end();
  }

  #beat(): void {
    if (!this.#busy && !this.#response.writableNeedDrain) this.#response.write(':\n\n');
    this.#busy = false;
  }

  #leave(): void {
    clearInterval(this.#heartbeat);
    this.#gone.abort();
  }
}
