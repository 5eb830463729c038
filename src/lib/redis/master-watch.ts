/**
 * Keeps an eye on who is the master while there are connections to it. Sentinel
 * does not close a client's connection to the old master, which goes on taking
 * writes until it is made a replica, some ten seconds after the switch: all of
 * them are lost. One watch for each set of sentinels of this process listens to
 * every sentinel (+switch-master, +promoted-slave) and asks the master for its
 * ROLE each second. Invariant (docs/adr/0008): a connection to a server that is
 * known not to be the master is cut at once, and what is known of a master is
 * never older than SILENCE of that server or, where one sentinel can be heard,
 * than the delay of its announcement.
 */
import type {Redis} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {end, newClient, sentinelTarget} from './new-client.js';
import {askSentinels, isSameNode, type NamedMaster, newer, type SentinelTarget} from './sentinels.js';
import {isServerReply, switched} from './server-errors.js';
import {describeTarget, type Node} from './server-target.js';

/** What a sentinel says when it has made another server the master, and when it is about to. */
const CHANNELS = ['+switch-master', '+promoted-slave'];
/** How often it looks. */
const TICK_MS = 1_000;

/** A connection to a master. */
interface Watched {
  readonly master: NamedMaster;
  /** Ends it at once: nothing that is still on its way counts. */
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

  /** The master that the sentinels name now, or that the watch knows of if that is newer. Throws as `askSentinels` does. */
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
   * Asks all sentinels at once, for whoever is about to say that what a master confirmed is there, and cuts what leads
   * to another server than they name. True while a failover is under way and does not say yet where it leads. Where no
   * sentinel answers, what is known stays.
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
    // While it was opened, there may have been a switch.
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

  /** The first time a second after the first connection: what is over sooner needs no watch. */
  #look(): void {
    for (const each of this.#subscriptions) each.keep();
    if (!this.#subscriptions.some((each) => each.isHeard)) void this.#ask();
    for (const {master} of this.#watched) {
      const place = placeOf(master.node);
      if (!this.#roles.has(place)) this.#roles.set(place, this.#roleCheck(master.node));
    }
    for (const [place, check] of this.#roles) {
      if ([...this.#watched].some(({master}) => placeOf(master.node) === place)) check.look();
      else {
        check.close();
        this.#roles.delete(place);
      }
    }
  }

  #roleCheck(node: Node): RoleCheck {
    return new RoleCheck(this.#target, node, (reason) =>
      this.#cut(({master}) => isSameNode(master.node, node), reason),
    );
  }

  /** Asks all sentinels, and cuts what leads to another server than they name. Once more if there was news meanwhile. */
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
    const reason = switched(`the sentinels have made ${placeOf(node)} the master`);
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

/** One sentinel's announcements, for as long as it can be reached. */
class Subscription {
  readonly #target: SentinelTarget;
  readonly #node: Node;
  readonly #onNews: () => void;
  #client: Redis | undefined;
  /** Whether it has answered since it was last looked at. */
  #isHeard = false;
  #awaits = false;

  /** `onNews` is also called when it begins to listen: what was announced before nobody has heard. */
  constructor(target: SentinelTarget, node: Node, onNews: () => void) {
    this.#target = target;
    this.#node = node;
    this.#onNews = onNews;
  }

  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Subscribes where it is not, and asks whether it is there still; to be called each second. */
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

/** Asks one server for its ROLE, on a connection of its own: it is answered while others of them wait or write. */
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
      this.#onWrong(switched(`${placeOf(this.#node)} has not answered for ${silenceMs / 1_000} s`));
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
        this.#onWrong(switched(`${placeOf(this.#node)} is not the master any more`));
    } catch (error) {
      // A user who may not ask for it has the sentinels; that nothing listens there, the connections find out themselves.
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

const placeOf = ({host, port}: Node): string => `${host}:${port}`;

/** Not the password: who has another one connects as somebody else, and to the same sentinels. */
const keyOf = (target: SentinelTarget): string => `${describeTarget(target)} ${target.username ?? ''}`;
