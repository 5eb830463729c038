/**
 * Where to connect for an address that the user gave, or that a cluster or a
 * sentinel announced. Invariant: TLS asks for the name of the host that is
 * connected to (SNI, RFC 6066), unless `--sni` gives another one; never for an IP address.
 */
import {isIP} from 'node:net';
import type {Cluster} from 'ioredis';
import {addressOf, type Node, type Target, type TlsSettings} from './server-target.js';

/** Options of one node, as ioredis takes them (https://github.com/redis/ioredis/blob/main/lib/cluster/util.ts). */
export interface Endpoint extends Node {
  tls?: TlsOptions;
}

/**
 * Options of tls.connect(). Without `servername`, Bun sends the host (https://bun.sh/docs/runtime/nodejs-compat); Node and
 * ioredis send none (https://nodejs.org/api/tls.html#tlsconnectoptions-callback, redis/ioredis#2105).
 */
interface TlsOptions extends TlsSettings {
  servername?: string;
}

/** How to reach the node at `announced`: what `--map-address` says, else the address itself. */
export function endpointOf({addressMap, tls, sni}: Target, announced: Node): Endpoint {
  const {host, port} = addressMap.get(addressOf(announced)) ?? announced;
  if (tls === undefined) return {host, port};
  const servername = sni ?? (isIP(host) === 0 ? host : undefined);
  return {host, port, tls: servername === undefined ? tls : {...tls, servername}};
}

/** For ioredis' `natMap`: an address that a node announces in CLUSTER SLOTS, MOVED or ASK, or that a sentinel gives. */
export const addressMapper =
  (target: Target & {nodes: readonly Node[]}) =>
  (announced: string): Endpoint => {
    const colon = announced.lastIndexOf(':');
    const host = announced.slice(0, colon);
    // MOVED and ASK with an unknown endpoint have no host: it is the one that was asked, as all of them are then.
    return endpointOf(target, {
      host: host === '' ? target.nodes[0]!.host : host,
      port: Number(announced.slice(colon + 1)),
    });
  };

/**
 * A cluster with `cluster-preferred-endpoint-type unknown-endpoint` announces no host, or `?` where a host name is
 * preferred and none is set: it is the host that was asked (https://redis.io/docs/latest/commands/cluster-slots/).
 * ioredis 6 leaves such nodes out.
 */
export function fillInEndpoints(cluster: Cluster): Cluster {
  const asking = cluster as unknown as {getInfoFromNode(redis: SlotsSource | undefined, callback: unknown): void};
  const getInfoFromNode = asking.getInfoFromNode.bind(cluster);
  asking.getInfoFromNode = (redis, callback) => getInfoFromNode(redis && withEndpoints(redis), callback);
  return cluster;
}

type SlotRange = [first: number, last: number, ...nodes: [host: string | null, ...facts: unknown[]][]];
type SlotsCallback = (error: Error | null, ranges?: SlotRange[]) => void;

/** The part of an ioredis client by which a cluster asks for CLUSTER SLOTS. */
interface SlotsSource {
  readonly options: {host?: string};
  duplicate(options: object): SlotsSource;
  cluster(subcommand: string, callback: SlotsCallback): unknown;
}

function withEndpoints(redis: SlotsSource): SlotsSource {
  const duplicate = (options: object): SlotsSource => {
    const connection = redis.duplicate(options);
    const cluster = connection.cluster.bind(connection);
    const asked = redis.options.host ?? null;
    connection.cluster = (subcommand, callback) =>
      cluster(subcommand, (error, ranges) =>
        callback(
          error,
          ranges?.map((range) => filled(range, asked)),
        ),
      );
    return connection;
  };
  return {options: redis.options, duplicate, cluster: () => undefined};
}

const filled = ([first, last, ...nodes]: SlotRange, asked: string | null): SlotRange => [
  first,
  last,
  ...nodes.map(([host, ...facts]): SlotRange[2] => [
    host === null || host === '' || host === '?' ? asked : host,
    ...facts,
  ]),
];
