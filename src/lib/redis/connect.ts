/**
 * Connecting, and why it fails. Invariant: a client that is returned has reached the
 * server, the user and the database that the target names; a failure says which of
 * them it was.
 */
import {setImmediate} from 'node:timers/promises';
import {Cluster, type Redis} from 'ioredis';
import {StreamlogError} from '../errors.js';
import {MasterWatch} from './master-watch.js';
import {cut, end, newClient, type ServerTarget, within} from './new-client.js';
import type {NamedMaster, SentinelTarget} from './sentinels.js';
import {isServerReply, type ServerErrorReason, saysWhy, toConnectFailure, toFailure} from './server-errors.js';
import {describeTarget, type Target} from './server-target.js';

/** What the server of a connection is, as far as the sentinels know; `changing` while a failover has no outcome yet. */
export type Standing = 'master' | 'changing' | 'ended';

export interface Connected {
  client: Redis | Cluster;
  /** Keeps up with the client. */
  problem: ServerErrorReason;
  /** Nodes of a cluster, as `host:port`, whose connection was lost; keeps up with the client. */
  lostNodes: ReadonlySet<string>;
  /** Behind sentinels, asks them as `MasterWatch.isChanging` does: the client has ended when they name another server. */
  isMasterChanging?: () => Promise<boolean>;
}

/** Connects within the target's connect timeout, or throws why not. */
export async function connect(target: Target, blockMs: number): Promise<Connected> {
  const deadlineMs = Date.now() + target.connectTimeoutMs;
  const server = {
    address: describeTarget(target),
    source: target.source,
    usesTls: target.tls !== undefined,
    isSocket: target.kind === 'unix',
  };
  if (target.kind !== 'sentinel') {
    return connectTo(target, blockMs, deadlineMs).catch(async (error) => {
      throw toConnectFailure(saysWhy(error) ? error : await askNodes(target, deadlineMs, error), server);
    });
  }
  try {
    const master = await within(deadlineMs, MasterWatch.master(target));
    return await connectToMaster(target, master, blockMs, deadlineMs);
  } catch (error) {
    throw toConnectFailure(error, server);
  }
}

/** The connection is cut when it turns out that its server is not the master any more, also while it is made. */
async function connectToMaster(
  target: SentinelTarget,
  master: NamedMaster,
  blockMs: number,
  deadlineMs: number,
): Promise<Connected> {
  let unwatch = (): void => {};
  const watch = (client: Redis | Cluster, problem: ServerErrorReason): void => {
    const leave = (reason: StreamlogError): void => {
      problem.error = reason;
      cut(client);
    };
    unwatch = MasterWatch.watch(target, {master, cut: leave});
  };
  try {
    const named: ServerTarget = {...target, kind: 'tcp', node: master.node};
    const connected = await connectTo(named, blockMs, deadlineMs, watch);
    (connected.client as Redis).stream.once('close', unwatch);
    return {...connected, isMasterChanging: () => MasterWatch.isChanging(target)};
  } catch (error) {
    unwatch();
    throw error;
  }
}

/** `asMaster` gets the client of one that must be the master, before it is connected. */
async function connectTo(
  target: ServerTarget,
  blockMs: number,
  deadlineMs: number,
  asMaster?: (client: Redis | Cluster, problem: ServerErrorReason) => void,
): Promise<Connected> {
  const client = newClient(target, blockMs);
  const problem: ServerErrorReason = {};
  asMaster?.(client, problem);
  const lostNodes = new Set<string>();
  // Without a listener, ioredis prints errors and the arguments of their commands (redis/ioredis#1235).
  client.on('error', (error: unknown) => Object.assign(problem, {error}));
  if (client instanceof Cluster) client.on('+node', (node: Redis) => watchNode(node, target, problem, lostNodes));
  try {
    await within(deadlineMs, handshake(client, target, asMaster !== undefined));
    // Errors of the handshake do not explain later failures.
    problem.error = undefined;
    return {client, problem, lostNodes};
  } catch (error) {
    end(client);
    throw isServerReply(error) || error instanceof StreamlogError ? error : (problem.error ?? error);
  }
}

function watchNode(node: Redis, {db}: ServerTarget, problem: ServerErrorReason, lostNodes: Set<string>): void {
  const address = `${node.options.host}:${node.options.port}`;
  node.on('error', (error: unknown) => {
    Object.assign(problem, {error, node: address});
    // ioredis continues with database 0 when SELECT fails (https://github.com/redis/ioredis/blob/main/lib/redis/event_handler.ts).
    if (db !== 0 && isServerReply(error)) lostNodes.add(address);
  });
  node.once('connecting', () => node.once('end', () => lostNodes.add(address)));
}

/** Connects, and checks that the server answers, with the right role and database. */
async function handshake(client: Redis | Cluster, target: ServerTarget, mustBeMaster = false): Promise<void> {
  await client.connect();
  // It has the table of slots; nodes are connected on demand.
  if (client instanceof Cluster) {
    // Valkey has several databases in a cluster (cluster-databases); other servers refuse.
    if (target.db !== 0) await client.nodes('master')[0]?.call('select', target.db).catch(throwFailure('SELECT'));
    return;
  }
  // A server that is full replies at once and closes the connection: read that before a write can fail with EPIPE and hide it.
  await setImmediate();
  await setImmediate();
  // Not by an option of ioredis; see watchNode.
  const [named, selected, role] = await Promise.allSettled([
    client.call('client', 'SETNAME', target.clientName),
    target.db === 0 ? undefined : client.call('select', target.db),
    mustBeMaster ? client.call('role') : undefined,
  ]);
  if (named.status === 'rejected' && !isMereRefusal(named.reason)) throw named.reason;
  if (selected.status === 'rejected') throw toFailure(selected.reason, {command: 'SELECT'});
  if (role.status === 'fulfilled' && Array.isArray(role.value) && String(role.value[0]) !== 'master') {
    throw new StreamlogError('unreachable', 'the sentinels name a server that is not the master any more', {
      hint: 'a failover may be under way; run again',
    });
  }
}

const throwFailure =
  (command: string) =>
  (error: unknown): never => {
    throw toFailure(error, {command});
  };

/** CLIENT SETNAME is not needed: some users may not run it, and some proxies do not know it. */
function isMereRefusal(error: unknown): boolean {
  if (!isServerReply(error)) return false;
  const {kind, code} = toFailure(error, {command: 'CLIENT SETNAME'});
  // A refusal in other words than Redis' own only shows that the command is unknown.
  if (code === 'ERR' || code === 'REFUSED') return kind !== 'denied';
  return code === 'NOPERM' || (kind !== 'denied' && kind !== 'temporary');
}

/**
 * Why no node of a cluster answers; ioredis only says that none did. `fallback` if each of them accepts a
 * connection.
 */
async function askNodes(target: Target, deadlineMs: number, fallback: unknown): Promise<unknown> {
  if (target.kind !== 'cluster') return fallback;
  for (const node of target.nodes) {
    try {
      const {client} = await connectTo({...target, kind: 'tcp', node, db: 0}, 0, deadlineMs);
      end(client);
    } catch (error) {
      return error;
    }
  }
  return fallback;
}
