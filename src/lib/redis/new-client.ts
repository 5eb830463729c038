/**
 * From a target to an ioredis client that does nothing on its own: it opens no
 * lost connection again, sends no command twice and prints nothing. It refuses
 * to know commands and failures.
 */
import './tracing-polyfill.js';
import {Cluster, type ClusterOptions, Redis, type RedisOptions} from 'ioredis';
import {addressMapper, endpointOf, fillInEndpoints} from './endpoint.js';
import {guardReplies} from './reply-guard.js';
import type {Node, Target} from './server-target.js';

/** How long a closed connection may still take to end by itself. */
const FAREWELL_MS = 250;

/** Sentinels are asked for a server first; see sentinels.ts. */
export type ServerTarget = Exclude<Target, {kind: 'sentinel'}>;

/** A client that is not connected yet. `blockMs` is the longest time that a command may block on it. */
export function newClient(target: ServerTarget, blockMs: number): Redis | Cluster {
  const client = clientFor(target, blockMs);
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
 * Ends the connection without waiting for it, as ioredis may not say when a
 * client that is connecting has ended. Commands under way fail.
 */
export function end(client: Redis | Cluster): void {
  // A cluster that has ended would keep commands for its next connection, which never comes.
  if (client instanceof Cluster) client.options.enableOfflineQueue = false;
  client.disconnect();
}

/** The same at once, with all that is on its way: what a server that is not the master any more still says must not count. */
export function cut(client: Redis | Cluster): void {
  end(client);
  if (client instanceof Redis) client.stream?.destroy();
}

/** One sentinel as a server of its own. It has users and passwords of its own. */
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
    // It would wait where Redis says LOADING, and print where INFO is forbidden.
    enableReadyCheck: false,
    disableClientInfo: true,
    stringNumbers: target.exactNumbers === true,
    connectTimeout: target.connectTimeoutMs,
    disconnectTimeout: FAREWELL_MS,
    // Without commandTimeout: it would reject without cancelling, and be a lie about what was executed.
    socketTimeout: blockMs + target.silenceMs,
    keepAlive: 10_000,
    // Named, since ioredis prints a warning where a nameless user needs no password.
    username: password ? (username ?? 'default') : username,
    password,
    tls,
  }) as RedisOptions;

const clusterOptions = (target: Target & {kind: 'cluster'}): ClusterOptions => ({
  lazyConnect: true,
  clusterRetryStrategy: () => null,
  // Nodes are connected when they are needed, and take commands meanwhile; see `end`.
  enableOfflineQueue: true,
  // It would refuse a cluster that lacks some slots, and then never settle connect().
  enableReadyCheck: false,
  retryDelayOnFailover: 0,
  maxRedirections: 16,
  slotsRefreshTimeout: share(target.connectTimeoutMs, target.nodes),
  natMap: addressMapper(target),
  // Node certificates name the host that was asked for, which is the address that the cluster announces.
  dnsLookup: (address, callback) => callback(null, address),
});

/** So that one node that does not answer leaves time for the others. */
const share = (limitMs: number, nodes: readonly Node[]): number => Math.ceil(limitMs / (nodes.length + 1));
