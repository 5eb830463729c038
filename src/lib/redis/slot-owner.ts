/**
 * Which node of a cluster serves a stream (CLUSTER SLOTS, https://redis.io/docs/latest/commands/cluster-slots/). A node that
 * is stopped answers nothing, and its replica may have become the master. Invariant: the other nodes are asked each second
 * while one is waited for.
 */
import {Cluster, Command, type Redis} from 'ioredis';
import {encodeName} from '../records/names.js';
import {connect} from './connect.js';
import {end} from './new-client.js';
import {switched} from './server-errors.js';
import type {Target} from './server-target.js';

export type ClusterTarget = Target & {kind: 'cluster'};

export const LOOK_MS = 1_000;

/** The master that serves the slot of `stream`, as `host:port`; undefined when the cluster names none. */
export async function nodeOf(target: ClusterTarget, stream: string): Promise<string | undefined> {
  const {client} = await connect(target, 0);
  // The table of slots is read anew at each connect.
  const node = masterOf(client, stream);
  end(client);
  return node;
}

/** The same, from what a cluster's client knows of its slots. */
export function masterOf(client: Redis | Cluster, stream: string): string | undefined {
  if (!(client instanceof Cluster)) return undefined;
  const slot = new Command('XADD', [encodeName(stream)]).getSlot();
  return slot === null ? undefined : client.slots[slot]?.[0];
}

/** One node of a cluster as a server of its own; for a slot without a node, the first node reports that. */
export function nodeTarget(target: ClusterTarget, node: string | undefined): Target {
  if (node === undefined) return {...target, kind: 'tcp', node: target.nodes[0]!};
  const colon = node.lastIndexOf(':');
  return {...target, kind: 'tcp', node: {host: node.slice(0, colon), port: Number(node.slice(colon + 1))}};
}

/** Finds out whether another node serves a stream by now; to be asked while the one that did says nothing. */
export class OwnerWatch {
  readonly #target: ClusterTarget;
  readonly #stream: string;
  readonly #node: string;
  #asking = false;

  constructor(target: ClusterTarget, stream: string, node: string) {
    this.#target = target;
    this.#stream = stream;
    this.#node = node;
  }

  /** Calls `onMoved` when the others name another node. Asked again meanwhile, it does nothing. */
  look(onMoved: (reason: Error) => void): void {
    if (this.#asking) return;
    this.#asking = true;
    nodeOf(this.#target, this.#stream)
      .then((node) => {
        if (node !== undefined && node !== this.#node)
          onMoved(switched(`${this.#node} does not answer, and the cluster has made ${node} the master`));
      })
      // None of them answers: that is for the connection itself to find out.
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
      });
  }

  /** The outcome of `opening`, or a failure as soon as another node is named. */
  async unlessMoved<T>(opening: Promise<T>, drop: (late: T) => void): Promise<T> {
    let looking: NodeJS.Timeout | undefined;
    let isOver = false;
    const moved = new Promise<never>((_, reject) => {
      looking = setInterval(() => this.look(reject), LOOK_MS);
    });
    opening.then(
      (late) => isOver && drop(late),
      () => {},
    );
    try {
      return await Promise.race([opening, moved]);
    } catch (error) {
      isOver = true;
      throw error;
    } finally {
      clearInterval(looking);
      moved.catch(() => {});
    }
  }
}
