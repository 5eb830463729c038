/**
 * The wires of one client: one to each server that it adds to, opened when the
 * first entry goes there. Invariant: what is added to a stream goes out in the
 * order of the calls, on one wire, until that is lost.
 */
import {isFailure, notConnected} from '../errors.js';
import type {AddConnection} from './add-connection.js';

/** Tells a node that is asked for keys of a moving slot from the same node by itself. */
const ASK = 'ASK ';

export class AddConnectionPool {
  readonly #open: (stream: string, node: string, asking: boolean) => Promise<AddConnection>;
  readonly #nodeOf: (stream: string) => string;
  readonly #onLost: () => void;
  readonly #connections = new Map<string, Promise<AddConnection>>();
  /** Where streams are that have moved, as their old nodes said: what `nodeOf` knows may be older. */
  readonly #homes = new Map<string, string>();
  #closed = false;

  /** `nodeOf` tells servers apart, as far as there are several. `onLost` is told of each wire that ends by itself. */
  constructor(
    open: (stream: string, node: string, asking: boolean) => Promise<AddConnection>,
    nodeOf: (stream: string) => string,
    onLost: () => void,
  ) {
    this.#open = open;
    this.#nodeOf = nodeOf;
    this.#onLost = onLost;
  }

  /** The wire to where `stream` lives now. Throws as `Wire.open` does, with the code NOT_CONNECTED where that is all there is to it. */
  to(stream: string): Promise<AddConnection> {
    if (this.#closed) return Promise.reject(notConnected());
    const node = this.#homes.get(stream) ?? this.#nodeOf(stream);
    const known = this.#connections.get(node);
    if (known !== undefined) return known;
    const forget = (): void => {
      if (this.#connections.get(node) === opening) this.#connections.delete(node);
      if (this.#homes.get(stream) === node) this.#homes.delete(stream);
    };
    const opening = (
      node.startsWith(ASK) ? this.#open(stream, node.slice(ASK.length), true) : this.#open(stream, node, false)
    )
      .catch(rethrowUnreachable)
      .then((connection) => {
        if (this.#closed) connection.close();
        void connection.closed.then(() => {
          forget();
          if (!this.#closed) this.#onLost();
        });
        return connection;
      });
    opening.catch(forget);
    this.#connections.set(node, opening);
    return opening;
  }

  /** From now on `stream` is at `home`, as `host:port`; with `asking`, while its slot is moving there. */
  moved(stream: string, home: string, asking = false): void {
    this.#homes.set(stream, asking ? `${ASK}${home}` : home);
  }

  /** Ends all of them at once; there will be no others. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.then((opened) => opened.close()).catch(() => {});
  }
}

function rethrowUnreachable(error: unknown): never {
  throw isFailure(error, 'unreachable') ? notConnected(error) : error;
}
