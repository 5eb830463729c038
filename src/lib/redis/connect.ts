/**
 * How a connection comes about, and why it does not. Invariant: a client that
 * is handed out has reached the place, the user and the database that the
 * target names; everything else is a failure that says which of them it was.
 */
import {setImmediate} from 'node:timers/promises';
import {Cluster, type Redis} from 'ioredis';
import {StreamlogError} from '../errors.js';
import {MasterWatch} from './master-watch.js';
import {cut, end, newClient, type ServerTarget} from './new-client.js';
import type {NamedMaster, SentinelTarget} from './sentinels.js';
import {isServerReply, type ServerErrorReason, saysWhy, toConnectFailure, toFailure} from './server-errors.js';
import {describeTarget, type Target} from './server-target.js';
import {within} from './within.js';

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
  const place = {address: describeTarget(target), usesTls: target.tls !== undefined, isSocket: target.kind === 'unix'};
  if (target.kind !== 'sentinel') {
    return connectTo(target, blockMs, deadlineMs).catch(async (error) => {
      throw toConnectFailure(saysWhy(error) ? error : await askNodes(target, deadlineMs, error), place);
    });
  }
  try {
    const master = await within(deadlineMs, MasterWatch.master(target));
    return await connectToMaster(target, master, blockMs, deadlineMs);
  } catch (error) {
    throw toConnectFailure(error, place);
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
    const server: ServerTarget = {...target, kind: 'tcp', node: master.node};
    const connected = await connectTo(server, blockMs, deadlineMs, watch);
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
  asMaster?: (client: Redis | Cluster, trouble: ServerErrorReason) => void,
): Promise<Connected> {
  const client = newClient(target, blockMs);
  const trouble: ServerErrorReason = {};
  asMaster?.(client, trouble);
  const lostNodes = new Set<string>();
  // Without a listener ioredis prints errors, arguments included.
  client.on('error', (error: unknown) => Object.assign(trouble, {error}));
  if (client instanceof Cluster) client.on('+node', (node: Redis) => watchNode(node, target, trouble, lostNodes));
  try {
    await within(deadlineMs, greet(client, target, asMaster !== undefined));
    // What went wrong on the way is no reason for what happens later.
    trouble.error = undefined;
    return {client, problem: trouble, lostNodes};
  } catch (error) {
    end(client);
    throw isServerReply(error) || error instanceof StreamlogError ? error : (trouble.error ?? error);
  }
}

function watchNode(node: Redis, {db}: ServerTarget, problem: ServerErrorReason, lostNodes: Set<string>): void {
  const place = `${node.options.host}:${node.options.port}`;
  node.on('error', (error: unknown) => {
    Object.assign(problem, {error, place});
    // ioredis goes on with database 0 when SELECT fails.
    if (db !== 0 && isServerReply(error)) lostNodes.add(place);
  });
  node.once('connecting', () => node.once('end', () => lostNodes.add(place)));
}

/** Connects, and makes sure that the server answers, in the right role and with the right database. */
async function greet(client: Redis | Cluster, target: ServerTarget, mustBeMaster = false): Promise<void> {
  await client.connect();
  // It has its table of slots; the nodes are connected when they are needed.
  if (client instanceof Cluster) {
    // Valkey 9 has several databases in a cluster (cluster-databases); a server that does not says so.
    if (target.db !== 0) await client.nodes('master')[0]?.call('select', target.db).catch(throwFailure('SELECT'));
    return;
  }
  // A server without room says so at once and hangs up: read that before a write could fail with EPIPE and hide it.
  await setImmediate();
  await setImmediate();
  // Not through ioredis' options: it goes on with database 0 when SELECT fails.
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

/** A user who may not use CLIENT, and a proxy that does not know it, can be used for streams all the same. */
function isMereRefusal(error: unknown): boolean {
  if (!isServerReply(error)) return false;
  const {kind, code} = toFailure(error, {command: 'CLIENT SETNAME'});
  // A refusal in words that are not Redis' own says no more than that this is none of its commands.
  if (code === 'ERR' || code === 'REFUSED') return kind !== 'denied';
  return code === 'NOPERM' || (kind !== 'denied' && kind !== 'temporary');
}

/**
 * What keeps the nodes of a cluster from answering: ioredis says only that none
 * did. `fallback` where each of them takes a connection.
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
