/**
 * The add connections of one client: one to each server that it adds to, opened
 * with the first entry. Invariant: what is added to a stream is sent in the order
 * of the calls, on one connection, until that is lost.
 */
import {isFailure, notConnected} from '../errors.js';
import type {AddConnection} from './add-connection.js';

/** Before the name of a node that is asked for a slot that is still moving to it: another connection than its own. */
const ASK = 'ASK ';

export class AddConnectionPool {
  readonly #open: (stream: string, node: string, asking: boolean) => Promise<AddConnection>;
  readonly #nodeOf: (stream: string) => string;
  readonly #onLost: () => void;
  readonly #connections = new Map<string, Promise<AddConnection>>();
  /** Where streams have moved to, as their old nodes said, which is newer than what `nodeOf` says. */
  readonly #homes = new Map<string, string>();
  #closed = false;

  /** `nodeOf` names the server of a stream, '' where there is one. `onLost` is called for each connection that ends by itself. */
  constructor(
    open: (stream: string, node: string, asking: boolean) => Promise<AddConnection>,
    nodeOf: (stream: string) => string,
    onLost: () => void,
  ) {
    this.#open = open;
    this.#nodeOf = nodeOf;
    this.#onLost = onLost;
  }

  /** The connection to where `stream` is now. Throws as `AddConnection.open` does, and with the code NOT_CONNECTED where it cannot connect. */
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
