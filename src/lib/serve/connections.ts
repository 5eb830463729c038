/**
 * All open connections, and the choice of the one to close when there are too
 * many, or when clients leave too many answers unread. Invariant: there are at
 * most MAX_CONNECTIONS. The client with the most connections loses the oldest one
 * without a request; one with a request under way is closed only if there is none
 * without. (The newest would often be the one that just came to ask something.)
 * A client that has less than the average loses none to others.
 */
import type {Server} from 'node:net';
import type {Duplex} from 'node:stream';
import {ClientShares} from './clients.js';
import {MAX_CONNECTIONS, MAX_UNSENT_BYTES, MAX_WAITING, MAX_WAITING_EACH} from './connection-limits.js';
import {HttpConnection} from './http-connection.js';

type Socket = Duplex & {readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined};
/** Why a connection was closed without an answer. */
export type ConnectionEnd = 'too_many_connections' | 'too_many_pipelined' | 'unread_answers';

/** Longer than the runtime takes to notice that it has to collect. */
const FREE_AFTER_MS = 250;

/** Of one client: connections that never had a request, and those between two requests, each the oldest first. */
interface WithoutRequest {
  readonly fresh: Set<HttpConnection>;
  readonly idle: Set<HttpConnection>;
}

export class Connections {
  readonly #onEnded: (connection: HttpConnection, reason: ConnectionEnd) => void;
  readonly #bySocket = new Map<Duplex, HttpConnection>();
  /** With TLS, requests come with another socket than the one that was accepted. */
  readonly #byPeer = new Map<string, HttpConnection>();
  readonly #all = new Set<HttpConnection>();
  readonly #shares = new ClientShares(MAX_CONNECTIONS, MAX_CONNECTIONS);
  readonly #waiting = new ClientShares(MAX_WAITING, MAX_WAITING_EACH);
  readonly #without = new Map<string, WithoutRequest>();
  #unsentBytes = 0;

  constructor(onEnded: (connection: HttpConnection, reason: ConnectionEnd) => void) {
    this.#onEnded = onEnded;
  }

  /** Counts what `listener` accepts. */
  watch(listener: Server): void {
    listener.on('connection', (socket) => this.#accept(socket));
  }

  get count(): number {
    return this.#all.size;
  }

  /** Pipelined requests that wait for their turn. */
  get waiting(): number {
    return this.#waiting.held;
  }

  /** Bytes of answers that clients have not taken. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** The connection of `socket`. */
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

  /** A connection without a request got one. */
  onBusy(connection: HttpConnection): void {
    const without = this.#without.get(connection.client);
    if (without !== undefined && !without.fresh.delete(connection)) without.idle.delete(connection);
  }

  /** A connection has no request any more. */
  onIdle(connection: HttpConnection): void {
    if (this.#all.has(connection)) this.#withoutOf(connection.client).idle.add(connection);
  }

  /** A request has to wait. Closes the connection where too many do: the runtime would read on. */
  onWait(connection: HttpConnection): void {
    const hasRoom = this.#waiting.hasRoom(connection.client);
    this.#waiting.take(connection.client);
    if (!hasRoom) this.#end(connection, 'too_many_pipelined');
  }

  /** The turn of one that waited has come. */
  onWaitOver({client}: HttpConnection): void {
    this.#waiting.give(client);
  }

  /** A connection was closed while that many waited. They count on for a moment, since their memory is not free at once. */
  onWaitCut({client}: HttpConnection, requests: number): void {
    if (requests > 0) setTimeout(() => this.#waiting.give(client, requests), FREE_AFTER_MS).unref();
  }

  /** That many bytes more, or fewer, wait for the client. */
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
    this.#shares.take(connection.client);
    this.#withoutOf(connection.client).fresh.add(connection);
    socket.once('close', () => {
      this.#bySocket.delete(socket);
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
      this.#remove(connection);
      connection.close();
    });
    if (this.#all.size > MAX_CONNECTIONS) this.#end(this.#leastWanted(connection), 'too_many_connections');
    return connection;
  }

  /**
   * The connection to close for `newcomer`. Where all of those that may be closed wait for a response, that is `newcomer`, or
   * the one that has waited longest of a client that has more than twice as many.
   */
  #leastWanted(newcomer: HttpConnection): HttpConnection {
    const average = this.#shares.held / this.#shares.clients;
    const heavy = this.#shares.heaviestFirst.filter((client) => this.#shares.heldBy(client) >= average);
    for (const client of heavy) {
      const {fresh, idle} = this.#withoutOf(client);
      for (const connections of [fresh, idle])
        for (const connection of connections) if (connection !== newcomer) return connection;
      for (const connection of this.#all)
        if (connection.client === client && connection.newest?.complete === false) return connection;
    }
    const [heaviest = newcomer.client] = heavy;
    const isGreedy = this.#shares.heldBy(heaviest) > 2 * this.#shares.heldBy(newcomer.client);
    return (isGreedy ? this.#longestWaiting(heaviest) : undefined) ?? newcomer;
  }

  #longestWaiting(client: string): HttpConnection | undefined {
    let longest: HttpConnection | undefined;
    for (const connection of this.#all) {
      if (connection.client !== client || connection.askedMs === undefined) continue;
      if (longest === undefined || connection.askedMs < longest.askedMs!) longest = connection;
    }
    return longest;
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
    const {client} = connection;
    this.#unsentBytes -= connection.unsentBytes;
    this.#shares.give(client);
    const without = this.#withoutOf(client);
    without.fresh.delete(connection);
    without.idle.delete(connection);
    if (this.#shares.heldBy(client) === 0) this.#without.delete(client);
  }

  #withoutOf(client: string): WithoutRequest {
    let without = this.#without.get(client);
    if (without === undefined) {
      without = {fresh: new Set(), idle: new Set()};
      this.#without.set(client, without);
    }
    return without;
  }
}

/** The other end of a connection. */
const peerOf = ({remoteAddress, remotePort}: Socket): string => `${remoteAddress} ${remotePort}`;
