/**
 * Which server the sentinels name as the master (SENTINEL GET-MASTER-ADDR-BY-NAME and SENTINEL MASTER,
 * https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/). During a failover, some sentinels still name the
 * old master, whose writes are lost; ioredis asks only the first that answers
 * (https://github.com/redis/ioredis/blob/main/lib/connectors/SentinelConnector/index.ts). Invariant: the highest epoch wins.
 */
import type {Redis} from 'ioredis';
import {StreamlogError} from '../errors.js';
import {end, newClient, sentinelTarget, within} from './new-client.js';
import {isServerReply} from './server-errors.js';
import type {Node, Target} from './server-target.js';

export type SentinelTarget = Target & {kind: 'sentinel'};

export interface NamedMaster {
  readonly node: Node;
  /** Grows with each failover; 0 where the user may not ask for it. */
  readonly epoch: number;
  /** A failover is under way, and its replica may be a master already without being named. */
  readonly isChanging: boolean;
}

/** How long to wait for the other sentinels once one has answered. */
const OTHERS_MS = 200;

/** Throws why no sentinel answers, preferably the error reply of one. */
export async function askSentinels(target: SentinelTarget): Promise<NamedMaster> {
  const limitMs = Math.ceil(target.connectTimeoutMs / 2);
  const answers: NamedMaster[] = [];
  const failures: unknown[] = [];
  const asked = target.nodes.map(async (node) => {
    try {
      answers.push(await askSentinel(target, node, limitMs));
    } catch (error) {
      failures.push(error);
      throw error;
    }
  });
  const all = Promise.allSettled(asked);
  try {
    await Promise.any(asked);
    await Promise.race([all, after(OTHERS_MS)]);
  } catch {
    throw failures.find(isServerReply) ?? failures[0];
  }
  const best = answers.reduce((one, other) => newer(other, one));
  // Only the sentinel that leads a failover knows of it.
  return {...best, isChanging: answers.some(({isChanging, epoch}) => isChanging && epoch >= best.epoch)};
}

/** The one of the later epoch. */
export const newer = (a: NamedMaster, b: NamedMaster | undefined): NamedMaster =>
  b !== undefined && b.epoch > a.epoch ? b : a;

export const isSameNode = (a: Node, b: Node): boolean => a.host === b.host && a.port === b.port;

async function askSentinel(target: SentinelTarget, node: Node, limitMs: number): Promise<NamedMaster> {
  const deadlineMs = Date.now() + limitMs;
  const client = newClient({...sentinelTarget(target, node), connectTimeoutMs: limitMs}, 0) as Redis;
  let reason: unknown;
  client.on('error', (error: unknown) => {
    reason ??= error;
  });
  try {
    await within(deadlineMs, client.connect());
    const questions = Promise.allSettled([
      client.call('sentinel', 'get-master-addr-by-name', target.master),
      client.call('sentinel', 'master', target.master),
    ]);
    const [address, details] = await within(deadlineMs, questions);
    if (address.status === 'rejected') throw address.reason;
    if (!Array.isArray(address.value)) {
      if (details.status === 'rejected') throw details.reason;
      throw new StreamlogError('unreachable', `a sentinel knows no address of the master "${target.master}"`);
    }
    const [host, port] = address.value as [unknown, unknown];
    const facts = factsOf(details.status === 'fulfilled' ? details.value : undefined);
    const epoch = Number(facts.get('config-epoch') ?? 0);
    // Once the replica has been seen to be a master, it is named, and here is still the old one.
    const isUnnamed = facts.get('ip') === String(host) && facts.get('port') === String(port);
    return {
      node: {host: String(host), port: Number(port)},
      epoch: Number.isSafeInteger(epoch) ? epoch : 0,
      isChanging: isUnnamed && (facts.get('flags') ?? '').split(',').includes('failover_in_progress'),
    };
  } catch (error) {
    throw isServerReply(error) || error instanceof StreamlogError ? error : (reason ?? error);
  } finally {
    end(client);
  }
}

/** From a list of names and values. */
function factsOf(details: unknown): Map<string, string> {
  const list = Array.isArray(details) ? details.map(String) : [];
  return new Map(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : [])));
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Published when another server has become the master, and when it is about to. */
const CHANNELS = ['+switch-master', '+promoted-slave'];

/** The announcements of one sentinel, while it can be reached. */
export class Subscription {
  readonly #target: SentinelTarget;
  readonly #node: Node;
  readonly #onNews: () => void;
  #client: Redis | undefined;
  /** Whether it answered the last PING. */
  #isHeard = false;
  #awaits = false;

  /** `onNews` is also called once it is subscribed, since earlier announcements were missed. */
  constructor(target: SentinelTarget, node: Node, onNews: () => void) {
    this.#target = target;
    this.#node = node;
    this.#onNews = onNews;
  }

  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Subscribes if it is not, and checks that the sentinel still answers; to be called each second. */
  keep(): void {
    const client = this.#client;
    if (client === undefined) void this.#open();
    else if (this.#awaits) this.#isHeard = false;
    else this.#ping(client);
  }

  #ping(client: Redis): void {
    this.#awaits = true;
    client.ping().then(
      () => {
        this.#awaits = false;
        this.#isHeard = true;
      },
      () => this.close(client),
    );
  }

  close(client = this.#client): void {
    if (client === undefined) return;
    end(client);
    if (client !== this.#client) return;
    this.#client = undefined;
    this.#isHeard = false;
  }

  async #open(): Promise<void> {
    const client = newClient(sentinelTarget(this.#target, this.#node), 0) as Redis;
    this.#client = client;
    this.#awaits = true;
    client.on('error', () => {});
    client.once('end', () => this.close(client));
    client.on('message', () => this.#onNews());
    try {
      await client.connect();
      client.stream.unref?.();
      await client.subscribe(...CHANNELS);
      this.#awaits = false;
      this.#isHeard = true;
      this.#onNews();
    } catch {
      this.close(client);
    }
  }
}
