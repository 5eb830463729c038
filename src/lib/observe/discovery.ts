/**
 * Which streams there are: named ones, or what SCAN finds. Names are kept, and looked for again after a while; a few pages each time,
 * so that a server with millions of keys is not held up. Invariant: a stream is found within one whole SCAN, however large the server is.
 */
import type {StreamlogError} from '../errors.js';
import type {StreamClient} from '../stream-client.js';

export interface DiscoveryOptions {
  /** These, and no others: nothing is looked for. */
  streams?: readonly string[] | undefined;
  /** A glob. */
  match?: string | undefined;
  /** Between the end of one SCAN and the beginning of the next. */
  againMs?: number | undefined;
}

/** Keys that one SCAN looks at, which takes up to a millisecond, and how many follow one another. */
const KEYS_A_PAGE = 1_000;
const PAGES_A_STEP = 10;
const AGAIN_MS = 30_000;

export class StreamDiscovery {
  readonly #options: DiscoveryOptions;
  readonly #names: Set<string>;
  /** Since the SCAN under way began. */
  #seen = new Set<string>();
  #pages: AsyncGenerator<string[], void, void> | undefined;
  #client: StreamClient | undefined;
  #finishedAtMs: number | undefined;
  #hasLost = false;
  #wasWhole = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#names = new Set(options.streams);
  }

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Whether all keys were looked at once. */
  get isComplete(): boolean {
    return this.#options.streams !== undefined || this.#finishedAtMs !== undefined;
  }

  /** Whether each master of a cluster answered, the last time that all keys were looked at. */
  get isWhole(): boolean {
    return this.#options.streams !== undefined || this.#wasWhole;
  }

  /** Looks at some more keys, where it is time to. */
  async step(client: StreamClient, nowMs: number): Promise<void> {
    const {streams, againMs = AGAIN_MS} = this.#options;
    if (streams !== undefined) return;
    // A cursor belongs to the server that gave it.
    if (client !== this.#client) this.#pages = undefined;
    this.#client = client;
    if (this.#pages === undefined) {
      if (this.#finishedAtMs !== undefined && nowMs - this.#finishedAtMs < againMs) return;
      this.#begin(client);
    }
    for (let page = 0; page < PAGES_A_STEP; page++) {
      const {value, done} = await this.#pages!.next();
      if (done) return this.#end(nowMs);
      for (const name of value) {
        this.#seen.add(name);
        this.#names.add(name);
      }
    }
  }

  /** The stream is gone. One that was named is looked at again. */
  forget(name: string): void {
    if (this.#options.streams === undefined) this.#names.delete(name);
  }

  #begin(client: StreamClient): void {
    this.#seen = new Set();
    this.#hasLost = false;
    const onLost = (_: StreamlogError): void => {
      this.#hasLost = true;
    };
    this.#pages = client.server.streamPages(KEYS_A_PAGE, this.#options.match, onLost);
  }

  /** What was not seen again is gone, unless a master did not answer. */
  #end(nowMs: number): void {
    this.#pages = undefined;
    this.#finishedAtMs = nowMs;
    this.#wasWhole = !this.#hasLost;
    if (!this.#hasLost) for (const name of this.#names) if (!this.#seen.has(name)) this.#names.delete(name);
  }
}
