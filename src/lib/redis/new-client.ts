/**
 * From a target to an ioredis client that does nothing on its own: it does not
 * reconnect, sends no command twice (redis/ioredis#2193) and prints nothing.
 */
import './tracing-polyfill.js';
import {Cluster, type ClusterOptions, Redis, type RedisOptions} from 'ioredis';
import {traceClient} from './command-trace.js';
import {addressMapper, endpointOf, fillInEndpoints} from './endpoint.js';
import {guardReplies} from './reply-guard.js';
import type {Node, Target} from './server-target.js';

/** How long a closed connection may take to end by itself. */
const FAREWELL_MS = 250;

/** Sentinels are asked for a server first; see sentinels.ts. */
export type ServerTarget = Exclude<Target, {kind: 'sentinel'}>;

/** A client that is not connected yet. `blockMs` is the longest time that a command may block on it. */
export function newClient(target: ServerTarget, blockMs: number): Redis | Cluster {
  const client = clientFor(target, blockMs);
  const {trace} = target;
  if (trace !== undefined) {
    if (client instanceof Redis) traceClient(client, trace);
    else client.on('+node', (node: Redis) => traceClient(node, trace));
  }
  guardReplies(client);
  return client;
}

function clientFor(target: ServerTarget, blockMs: number): Redis | Cluster {
  const options = clientOptions(target, blockMs);
  switch (target.kind) {
    case 'tcp':
      return new Redis({...options, ...endpointOf(target, target.node)});
    case 'unix':
      return new Redis({...options, path: target.path});
    case 'cluster':
      return fillInEndpoints(
        new Cluster(
          target.nodes.map((node) => endpointOf(target, node)),
          {...clusterOptions(target), redisOptions: {...options, connectionName: target.clientName, db: target.db}},
        ),
      );
  }
}

/**
 * Ends the connection without waiting, since ioredis may not report the end of a client that is connecting.
 * Commands in flight fail.
 */
export function end(client: Redis | Cluster): void {
  // Otherwise a cluster that has ended keeps commands for its next connection, which never comes.
  if (client instanceof Cluster) client.options.enableOfflineQueue = false;
  client.disconnect();
}

/** The same at once, dropping replies that are on their way: those of a former master must not count. */
export function cut(client: Redis | Cluster): void {
  end(client);
  if (client instanceof Redis) client.stream?.destroy();
}

/** One sentinel as a server. It may have a user and a password of its own. */
export const sentinelTarget = (target: Target & {kind: 'sentinel'}, node: Node): Target & {kind: 'tcp'} => ({
  ...target,
  kind: 'tcp',
  node,
  username: target.sentinelUsername,
  password: target.sentinelPassword,
  db: 0,
});

const clientOptions = ({username, password, tls, ...target}: ServerTarget, blockMs: number): RedisOptions =>
  ({
    lazyConnect: true,
    protocol: 2,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    reconnectOnError: null,
    // It would wait while Redis replies LOADING, and print a warning where INFO is forbidden.
    enableReadyCheck: false,
    disableClientInfo: true,
    stringNumbers: target.exactNumbers === true,
    connectTimeout: target.connectTimeoutMs,
    disconnectTimeout: FAREWELL_MS,
    // No commandTimeout: it rejects without cancelling, although the command may still be executed.
    socketTimeout: blockMs + target.silenceMs,
    keepAlive: 10_000,
    // With a name: without one, ioredis prints a warning where the server needs no password (https://github.com/redis/ioredis/blob/main/lib/redis/event_handler.ts).
    username: password ? (username ?? 'default') : username,
    password,
    tls,
  }) as RedisOptions;

const clusterOptions = (target: Target & {kind: 'cluster'}): ClusterOptions => ({
  lazyConnect: true,
  clusterRetryStrategy: () => null,
  // Nodes are connected on demand, and queue commands meanwhile; see `end`.
  enableOfflineQueue: true,
  // It refuses a cluster that lacks some slots, and then never settles connect().
  enableReadyCheck: false,
  retryDelayOnFailover: 0,
  maxRedirections: 16,
  slotsRefreshTimeout: share(target.connectTimeoutMs, target.nodes),
  natMap: addressMapper(target),
  // A certificate names the host that was connected to, which is the address that the cluster announces.
  dnsLookup: (address, callback) => callback(null, address),
});

/** So that a node that does not answer leaves time for the others. */
const share = (limitMs: number, nodes: readonly Node[]): number => Math.ceil(limitMs / (nodes.length + 1));

/**
 * The outcome of `work`, or a failure with the code ETIMEDOUT at `deadlineMs`, as of Date.now. connectTimeout of ioredis
 * covers a single socket, not the several requests of Sentinel and Cluster
 * (https://github.com/redis/ioredis/blob/main/lib/redis/RedisOptions.ts).
 */
export async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const timedOut = Object.assign(new Error('timed out'), {code: 'ETIMEDOUT'});
    timer = setTimeout(() => reject(timedOut), Math.max(0, deadlineMs - Date.now()));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
