/**
 * Watches which server is the master while there are connections to it (docs/adr/0008). For each set of sentinels, it
 * subscribes to every sentinel and asks the master for its ROLE each second. Invariant: a connection to a server that
 * is known not to be the master is closed at once.
 */
import type {Redis} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {end, newClient} from './new-client.js';
import {askSentinels, isSameNode, type NamedMaster, newer, type SentinelTarget, Subscription} from './sentinels.js';
import {isServerReply, switched} from './server-errors.js';
import {describeTarget, type Node} from './server-target.js';

/** How often it checks. */
const TICK_MS = 1_000;

/** A connection to a master. */
interface Watched {
  readonly master: NamedMaster;
  /** Ends it at once, dropping replies on their way. */
  cut(reason: StreamlogError): void;
}

export class MasterWatch {
  static readonly #running = new Map<string, MasterWatch>();
  readonly #key: string;
  readonly #target: SentinelTarget;
  readonly #watched = new Set<Watched>();
  readonly #subscriptions: Subscription[];
  readonly #roles = new Map<string, RoleCheck>();
  #newest: NamedMaster | undefined;
  #asking: Promise<void> | undefined;
  #askAgain = false;
  #tick: NodeJS.Timeout | undefined;

  private constructor(key: string, target: SentinelTarget) {
    this.#key = key;
    this.#target = target;
    this.#subscriptions = target.nodes.map((node) => new Subscription(target, node, () => void this.#ask()));
  }

  /** The master that the sentinels name now, or a newer one that the watch knows. Throws as `askSentinels` does. */
  static async master(target: SentinelTarget): Promise<NamedMaster> {
    const named = await askSentinels(target);
    const watch = MasterWatch.#running.get(keyOf(target));
    return newer(named, watch === undefined ? undefined : watch.#newest);
  }

  /** Watches a connection until the function that it returns is called. */
  static watch(target: SentinelTarget, watched: Watched): () => void {
    const key = keyOf(target);
    const watch = MasterWatch.#running.get(key) ?? new MasterWatch(key, target);
    MasterWatch.#running.set(key, watch);
    watch.#add(watched);
    return () => watch.#remove(watched);
  }

  /**
   * Asks all sentinels once, before success is reported, and closes connections to other servers than they name. True
   * while a failover has not named its new master. If no sentinel answers, nothing changes.
   */
  static async isChanging(target: SentinelTarget): Promise<boolean> {
    const named = await askSentinels(target).catch(() => undefined);
    if (named === undefined) return false;
    const watch = MasterWatch.#running.get(keyOf(target));
    if (watch !== undefined) watch.#switchTo(named);
    return named.isChanging;
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    // The master may have changed while the connection was opened.
    this.#switchTo(watched.master);
    this.#tick ??= setInterval(() => this.#look(), TICK_MS).unref();
  }

  #remove(watched: Watched): void {
    if (!this.#watched.delete(watched) || this.#watched.size > 0) return;
    clearInterval(this.#tick);
    for (const each of this.#subscriptions) each.close();
    for (const check of this.#roles.values()) check.close();
    MasterWatch.#running.delete(this.#key);
  }

  /** First called a second after the first connection: shorter runs need no watch. */
  #look(): void {
    for (const each of this.#subscriptions) each.keep();
    if (!this.#subscriptions.some((each) => each.isHeard)) void this.#ask();
    for (const {master} of this.#watched) {
      const address = addressOfNode(master.node);
      if (!this.#roles.has(address)) this.#roles.set(address, this.#roleCheck(master.node));
    }
    for (const [address, check] of this.#roles) {
      if ([...this.#watched].some(({master}) => addressOfNode(master.node) === address)) check.look();
      else {
        check.close();
        this.#roles.delete(address);
      }
    }
  }

  #roleCheck(node: Node): RoleCheck {
    return new RoleCheck(this.#target, node, (reason) =>
      this.#cut(({master}) => isSameNode(master.node, node), reason),
    );
  }

  /** Asks all sentinels, and closes connections to other servers than they name. Again if something was announced meanwhile. */
  async #ask(): Promise<void> {
    this.#askAgain = true;
    this.#asking ??= (async () => {
      while (this.#askAgain && this.#watched.size > 0) {
        this.#askAgain = false;
        const named = await askSentinels(this.#target).catch(() => undefined);
        if (named !== undefined) this.#switchTo(named);
      }
      this.#asking = undefined;
    })();
    await this.#asking;
  }

  #switchTo(named: NamedMaster): void {
    this.#newest = newer(named, this.#newest);
    const {node, epoch} = this.#newest;
    const reason = switched(`the sentinels have made ${addressOfNode(node)} the master`);
    this.#cut(({master}) => epoch >= master.epoch && !isSameNode(node, master.node), reason);
  }

  #cut(isWrong: (watched: Watched) => boolean, reason: StreamlogError): void {
    for (const watched of [...this.#watched]) {
      if (!isWrong(watched)) continue;
      this.#remove(watched);
      watched.cut(reason);
    }
  }
}

/** Asks one server for its ROLE, on a connection of its own, which answers while others block. */
class RoleCheck {
  readonly #target: SentinelTarget;
  readonly #node: Node;
  readonly #onWrong: (reason: StreamlogError) => void;
  #client: Redis | undefined;
  #unanswered = 0;

  constructor(target: SentinelTarget, node: Node, onWrong: (reason: StreamlogError) => void) {
    this.#target = target;
    this.#node = node;
    this.#onWrong = onWrong;
  }

  /** To be called each second. */
  look(): void {
    const {silenceMs} = this.#target;
    if (this.#unanswered > 0) {
      if (++this.#unanswered * TICK_MS <= silenceMs) return;
      this.close();
      this.#onWrong(switched(`${addressOfNode(this.#node)} has not answered for ${silenceMs / 1_000} s`));
    } else {
      this.#unanswered = 1;
      void this.#ask();
    }
  }

  close(): void {
    if (this.#client !== undefined) end(this.#client);
    this.#client = undefined;
    this.#unanswered = 0;
  }

  async #ask(): Promise<void> {
    try {
      const client = this.#client ?? (await this.#open());
      const role = await client.call('role');
      if (client !== this.#client) return;
      this.#unanswered = 0;
      if (Array.isArray(role) && String(role[0]) !== 'master')
        this.#onWrong(switched(`${addressOfNode(this.#node)} is not the master any more`));
    } catch (error) {
      // A user who may not run ROLE relies on the sentinels; connections notice by themselves when nothing listens.
      if (isServerReply(error)) this.#unanswered = 0;
      else this.close();
    }
  }

  async #open(): Promise<Redis> {
    const {silenceMs} = this.#target;
    const client = newClient({...this.#target, kind: 'tcp', node: this.#node, silenceMs: 2 * silenceMs}, 0) as Redis;
    this.#client = client;
    client.on('error', () => {});
    await client.connect();
    client.stream.unref?.();
    return client;
  }
}

const addressOfNode = ({host, port}: Node): string => `${host}:${port}`;

/** Without the password: another one means another user, with the same sentinels. */
const keyOf = (target: SentinelTarget): string => `${describeTarget(target)} ${target.username ?? ''}`;
