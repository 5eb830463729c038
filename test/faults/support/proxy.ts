/**
 * A proxy on a loopback port in front of one real server, with one connection
 * to the server for each client. It passes RESP2 on as it comes until a test
 * asks for a fault. Invariant: `stop` leaves nothing listening and nothing open.
 */
import {type AddressInfo, createServer, type NetConnectOpts, type Server} from 'node:net';
import {setImmediate} from 'node:timers/promises';
import {Faults} from './faults.js';
import {ProxiedConnection} from './proxied-connection.js';

/** Starts a proxy in front of the server that `url` (`unix://` or `redis://`) names. */
export async function startProxy({url}: {url: string}): Promise<FaultProxy> {
  const proxy = new FaultProxy(url);
  await proxy.listen();
  return proxy;
}

/** See `Faults` for the faults of traffic; here are those of connections. */
export class FaultProxy extends Faults {
  readonly #upstream: NetConnectOpts;
  readonly #connections = new Set<ProxiedConnection>();
  #listener: Server | undefined;
  #port = 0;
  #broken: Error | undefined;

  constructor(upstreamUrl: string) {
    super();
    const {protocol, hostname, port, pathname} = new URL(upstreamUrl);
    this.#upstream = protocol === 'unix:' ? {path: decodeURIComponent(pathname)} : {host: hostname, port: Number(port)};
  }

  /** For `--url`; the same for the whole life of the proxy. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Listens, again on the same port after `refuse`. */
  async listen(): Promise<void> {
    if (this.#listener !== undefined) return;
    // A client that has said all it wants to say may still wait for replies.
    const listener = createServer({allowHalfOpen: true}, (socket) => {
      const connection = new ProxiedConnection(socket, this.#upstream, this, (error) => {
        this.#broken ??= error;
      });
      this.#connections.add(connection);
      void connection.closed.then(() => this.#connections.delete(connection));
    });
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (listener.address() as AddressInfo).port;
  }

  /** New connections are refused from now on; those that are open stay. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Closes every connection now; what is on its way is dropped. */
  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** As `cut`, but clients get a reset (RST, ECONNRESET) in place of an end. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Ends everything. Throws when a client or the server spoke anything but RESP2. */
  async stop(): Promise<void> {
    this.refuse();
    this.disarm();
    // One more may have been accepted while the listener closed.
    do {
      this.cut();
      await setImmediate();
    } while ([...this.#connections].some(({ended}) => !ended));
    if (this.#broken !== undefined) throw this.#broken;
  }
}
