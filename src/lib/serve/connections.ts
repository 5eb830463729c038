/**
 * The connections that there are, and which of them has to go when there are too
 * many, or when their clients leave too much unread. Knows nothing of requests
 * beyond their number. Invariant: there are never more than `maxConnections`;
 * who has to go is of the address that holds the most, and has no request under
 * way as long as one of its connections has none. Of those the oldest goes, not
 * the newest: an honest client is without a request for an instant only, and the
 * newest is the one that just came.
 */
import type {Server} from 'node:net';
import type {Duplex} from 'node:stream';
import {ClientShares} from './clients.js';
import {MAX_CONNECTIONS, MAX_UNSENT_BYTES, MAX_WAITING, MAX_WAITING_EACH} from './connection-limits.js';
import {HttpConnection, type HttpConnectionOwner} from './http-connection.js';

type Socket = Duplex & {readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined};
/** Why a connection was ended without an answer. */
export type ConnectionEnd = 'too_many_connections' | 'too_many_pipelined' | 'unread_answers';
type OnEnded = (connection: HttpConnection, reason: ConnectionEnd) => void;

/** Of one address: those that never had a request, then those between two requests, each the oldest first. */
interface WithoutRequest {
  readonly fresh: Set<HttpConnection>;
  readonly idle: Set<HttpConnection>;
}

export class Connections implements HttpConnectionOwner {
  readonly #onEnded: OnEnded;
  readonly #bySocket = new Map<Duplex, HttpConnection>();
  /** Where TLS hands over another socket than the one that was accepted. */
  readonly #byPeer = new Map<string, HttpConnection>();
  readonly #all = new Set<HttpConnection>();
  readonly #shares = new ClientShares(MAX_CONNECTIONS, MAX_CONNECTIONS);
  readonly #waiting = new ClientShares(MAX_WAITING, MAX_WAITING_EACH);
  readonly #without = new Map<string, WithoutRequest>();
  #unsentBytes = 0;

  constructor(onEnded: OnEnded) {
    this.#onEnded = onEnded;
  }

  /** Keeps the books of what `listener` accepts. */
  watch(listener: Server): void {
    listener.on('connection', (socket) => this.#accept(socket));
  }

  get count(): number {
    return this.#all.size;
  }

  /** Requests whose turn on their connection has not come. */
  get waiting(): number {
    return this.#waiting.held;
  }

  /** Bytes of answers that their clients have not taken. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** What is known of the connection that `socket` is. */
  of(socket: Socket): HttpConnection {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const accepted = socket.remotePort === undefined ? undefined : this.#byPeer.get(peerOf(socket));
    if (accepted === undefined) return this.#accept(socket);
    this.#bySocket.set(socket, accepted);
    socket.once('close', () => {
      this.#bySocket.delete(socket);
      accepted.close();
    });
    return accepted;
  }

  /** For `Connection`: its first request, or its first after a pause, has come. */
  onBusy(connection: HttpConnection): void {
    const without = this.#without.get(connection.account);
    if (without !== undefined && !without.fresh.delete(connection)) without.idle.delete(connection);
  }

  /** For `Connection`: it has no request under way any more. */
  onIdle(connection: HttpConnection): void {
    if (this.#all.has(connection)) this.#withoutOf(connection.account).idle.add(connection);
  }

  /** For `Connection`. */
  onWait(connection: HttpConnection): void {
    const hasRoom = this.#waiting.hasRoom(connection.account);
    this.#waiting.take(connection.account);
    // The runtime goes on to make requests of what it has read, so refusing this one would not help.
    if (!hasRoom) this.#end(connection, 'too_many_pipelined');
  }

  /** For `Connection`. */
  onWaitOver({account}: HttpConnection, requests: number): void {
    if (requests > 0) this.#waiting.give(account, requests);
  }

  /** For `Connection`. */
  onUnsent(connection: HttpConnection, bytes: number): void {
    if (!this.#all.has(connection)) return;
    connection.unsentBytes += bytes;
    this.#unsentBytes += bytes;
    if (this.#unsentBytes > MAX_UNSENT_BYTES) this.#endLargest();
  }

  #accept(socket: Socket): HttpConnection {
    const connection = new HttpConnection(socket, this);
    const peer = peerOf(socket);
    this.#all.add(connection);
    this.#bySocket.set(socket, connection);
    this.#byPeer.set(peer, connection);
    this.#shares.take(connection.account);
    this.#withoutOf(connection.account).fresh.add(connection);
    socket.once('close', () => {
      this.#bySocket.delete(socket);
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
      this.#remove(connection);
      connection.close();
    });
    if (this.#all.size > MAX_CONNECTIONS) this.#end(this.#leastWanted(connection), 'too_many_connections');
    return connection;
  }

  /** Who makes room for `newcomer`; itself where all others have a request under way. */
  #leastWanted(newcomer: HttpConnection): HttpConnection {
    for (const account of this.#shares.heaviestFirst) {
      const {fresh, idle} = this.#withoutOf(account);
      for (const connections of [fresh, idle])
        for (const connection of connections) if (connection !== newcomer) return connection;
      for (const connection of this.#all)
        if (connection.account === account && connection.newest?.complete === false) return connection;
    }
    return newcomer;
  }

  #endLargest(): void {
    let largest: HttpConnection | undefined;
    for (const connection of this.#all) if (connection.unsentBytes > (largest?.unsentBytes ?? 0)) largest = connection;
    if (largest !== undefined) this.#end(largest, 'unread_answers');
  }

  #end(connection: HttpConnection, reason: ConnectionEnd): void {
    this.#remove(connection);
    connection.isUnreadable = true;
    connection.socket.destroy();
    connection.close();
    this.#onEnded(connection, reason);
  }

  #remove(connection: HttpConnection): void {
    if (!this.#all.delete(connection)) return;
    const {account} = connection;
    this.#unsentBytes -= connection.unsentBytes;
    this.#shares.give(account);
    const without = this.#withoutOf(account);
    without.fresh.delete(connection);
    without.idle.delete(connection);
    if (this.#shares.heldBy(account) === 0) this.#without.delete(account);
  }

  #withoutOf(account: string): WithoutRequest {
    let without = this.#without.get(account);
    if (without === undefined) {
      without = {fresh: new Set(), idle: new Set()};
      this.#without.set(account, without);
    }
    return without;
  }
}

/** Who is at the other end, as far as it can be told apart. */
const peerOf = ({remoteAddress, remotePort}: Socket): string => `${remoteAddress} ${remotePort}`;
