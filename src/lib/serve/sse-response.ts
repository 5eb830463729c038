/**
 * A response of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * Invariant: no more than one `send` is buffered for a client that does not read,
 * and `send` never waits for a client that is gone.
 */
import type {ServerResponse} from 'node:http';

/** How long a client may take to read the end of the events before its connection is closed. */
const END_MS = 1_000;

export class SseResponse {
  /** Aborted when the client is gone, or the server is stopping. */
  readonly ended: AbortSignal;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  /** Whether something was sent since the last heartbeat, or cannot be sent now. */
  #busy = false;

  /** Sends a comment after `heartbeatMs` of silence, so that proxies keep the connection open. */
  constructor(response: ServerResponse, {heartbeatMs, stopping}: {heartbeatMs: number; stopping: AbortSignal}) {
    this.#response = response;
    this.ended = AbortSignal.any([stopping, this.#gone.signal]);
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    response.on('error', () => {});
    response.once('close', () => this.#leave());
    // A client that left before now emits no further `close`.
    if (response.destroyed || response.socket?.destroyed !== false) this.#leave();
  }

  /** Resolves when the client can take more, or `ended` is aborted. */
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
    const timer = setTimeout(() => this.#response.socket?.destroy(), END_MS);
    this.#response.once('close', () => clearTimeout(timer));
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
