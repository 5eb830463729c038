/**
 * What the tests of producing through faults play on: one server, the proxy in
 * front of it, `streamlog produce` behind the proxy, and a history of all that
 * was fed to it and all that it told. A record is known by its value, and the
 * n-th ID on standard output is that of the n-th record. Each test has a scene
 * of its own. Invariant: everything that was started ends with its test.
 */
import type {Redis} from 'ioredis';
import {expect, type TestContext} from 'vitest';
import {type RedisServer, type ServerOptions, startRedis, until} from '../support/redis-server.js';
import {type Finished, type Running, type RunOptions, startStreamlog} from '../support/run-cli.js';
import {collect} from './support/collect.js';
import {type HistoryEvent, judge} from './support/history.js';
import {type FaultProxy, startProxy} from './support/proxy.js';
import {explain} from './support/verdict.js';

export const STREAM = 'events';
export const ONCE = ['--exactly-once'];
/** Both ways to add records, for rows in which they promise the same. */
export const BOTH_WAYS: [way: string, args: string[], command: 'xadd' | 'evalsha'][] = [
  ['by default', [], 'xadd'],
  ['with --exactly-once', ONCE, 'evalsha'],
];

/** What `produce` may do to a stream, apart from losing or inventing nothing. */
export interface Allowances {
  /** As many as standard error says; none where it says nothing. */
  duplicates?: 'as told' | 'none';
  /** As many as standard error says are late. */
  disorder?: 'as told' | 'none';
  /** Records that were fed and not added. */
  missing?: boolean;
}

/** One run of `streamlog produce`, fed by its test. */
export class Production {
  readonly running: Running;
  readonly values: string[] = [];

  constructor(args: readonly string[], url: string, {env, ...options}: RunOptions = {}) {
    const program = ['produce', '--stream', STREAM, ...args];
    this.running = startStreamlog(program, {limitMs: 50_000, ...options, env: {STREAMLOG_URL: url, ...env}});
  }

  /** Writes a record for each value, with more fields where it should be wide; the last one may still be on its way. */
  feed(values: readonly string[], moreFields: (index: number) => number = () => 0): this {
    for (const value of values) this.values.push(value);
    const others = (index: number): string =>
      Array.from({length: moreFields(index)}, (_, n) => `,"f${n}":${n}`).join('');
    this.running.process.stdin.write(values.map((value, n) => `{"value":"${value}"${others(n)}}\n`).join(''));
    return this;
  }

  /** Ends its input, and waits for its end. */
  finish(): Promise<Finished> {
    this.running.process.stdin.end();
    return this.running.finished;
  }

  /** The IDs that it printed. */
  get ids(): string[] {
    return this.running.stdout().split('\n').slice(0, -1);
  }

  /** Waits until it says `what` on standard error. */
  async untilTold(what: RegExp): Promise<void> {
    const {process, stderr} = this.running;
    await until(() => what.test(stderr()) || process.exitCode !== null, `it says ${what}`, 40_000);
    expect(stderr()).toMatch(what);
  }

  /** How many records standard error says are `what`; 0 when it does not speak of them. */
  reported(what: RegExp): number {
    return Number(what.exec(this.running.stderr())?.[1] ?? 0);
  }

  /** What it fed and was told, in order. */
  get history(): HistoryEvent[] {
    const confirmed = this.ids.map((id, index) => ({what: 'confirmed' as const, value: this.values[index]!, id}));
    return [...this.values.map((value) => ({what: 'attempted' as const, value, by: 'produce'})), ...confirmed];
  }
}

/** Holds what `production` was fed and told against the stream that `redis` has. */
export async function expectProduced(
  redis: Redis,
  production: Production,
  {duplicates = 'none', disorder = 'none', missing = false}: Allowances = {},
): Promise<void> {
  const {stream, ...ending} = await collect(redis, STREAM);
  // An ID says which record it is of only while they come in the order of the records.
  const events = production.history.filter(({what}) => disorder === 'none' || what === 'attempted');
  const verdict = judge(events, {stream, ...ending});
  const about = `${explain(verdict)}\n${production.running.stderr()}`;
  expect(verdict.lost.length, about).toBe(0);
  expect(verdict.unexpected.length, about).toBe(0);
  const twice = duplicates === 'none' ? 0 : production.reported(TWICE);
  expect(verdict.duplicatedInStream.length, about).toBeLessThanOrEqual(twice);
  expect(verdict.outOfOrder.length, about).toBeLessThanOrEqual(disorder === 'none' ? 0 : production.reported(LATE));
  if (missing) return;
  expect(new Set(stream.map(({value}) => value)).size, about).toBe(production.values.length);
}

/**
 * All that was fed is in the stream once and in order, and its IDs were printed in that order, except for as
 * many as standard error says were added again after a failover.
 */
export async function expectOnce(redis: Redis, production: Production): Promise<void> {
  await expectProduced(redis, production);
  const {stream} = await collect(redis, STREAM);
  const others = production.ids.filter((id, index) => stream[index]?.id !== id).length;
  const about = production.running.stderr();
  expect({others, printed: production.ids.length}, about).toEqual({
    others: production.reported(AGAIN),
    printed: stream.length,
  });
}

/** What `produce --exactly-once` says when a failover took back what had been confirmed. */
export const AGAIN = /(\d+) records were added again/;

/** What `produce` says when it may have added records twice, or behind later ones. */
export const TWICE = /up to (\d+) records may be in the stream twice/;
export const LATE = /(\d+) records are behind later ones/;

export class Scene {
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
  readonly #productions: Production[] = [];

  constructor(server: RedisServer, proxy: FaultProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  /** A plain client, past the proxy. */
  get redis(): RedisServer['redis'] {
    return this.server.redis;
  }

  /** `streamlog produce …args` behind the proxy. */
  produce(args: readonly string[] = [], options: RunOptions = {}): Production {
    const production = new Production(args, this.proxy.url, options);
    this.#productions.push(production);
    return production;
  }

  /** One that has added `first` and waits for more, so that a fault meets it between two records. */
  async idleProduction(args: readonly string[] = [], options: RunOptions = {}): Promise<Production> {
    const production = this.produce(args, options).feed(numbered('first', 10));
    await until(() => production.ids.length === 10 || production.running.process.exitCode !== null, 'it has begun');
    expect(production.ids, production.running.stderr()).toHaveLength(10);
    return production;
  }

  /** How many entries the stream has. */
  length(): Promise<number> {
    return this.redis.xlen(STREAM);
  }

  /** kill of all connections but the one that asks. */
  async killClients(): Promise<void> {
    await this.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }

  expectProduced(production: Production, allowances?: Allowances): Promise<void> {
    return expectProduced(this.redis, production, allowances);
  }

  expectOnce(production: Production): Promise<void> {
    return expectOnce(this.redis, production);
  }

  /** Each once; in order with --exactly-once, and without it, as many behind later ones as it says. */
  expectAddedThroughRefusals(production: Production, args: readonly string[]): Promise<void> {
    return args.includes('--exactly-once')
      ? this.expectOnce(production)
      : this.expectProduced(production, {disorder: 'as told'});
  }

  async stop(): Promise<void> {
    for (const {running} of this.#productions) await kill(running);
    await this.proxy.stop();
    this.server.process.kill('SIGCONT');
    await this.server.stop();
  }
}

/** Waits until `count` has not changed for many looks: there is no other sign of something that does not happen. */
export async function untilStill(count: () => number | Promise<number>): Promise<number> {
  let last = -1;
  let looks = 0;
  await until(async () => {
    const now = await count();
    looks = now === last ? looks + 1 : 0;
    last = now;
    return looks === 30;
  }, 'nothing changes any more');
  return last;
}

/** Ends what a test has left running. */
export async function kill({process, finished}: Running): Promise<void> {
  process.kill('SIGKILL');
  process.stdout.resume();
  await finished.catch(() => {});
}

/** A scene for the test of `context`, which ends with it. */
export async function startScene({onTestFinished}: TestContext, options: ServerOptions = {}): Promise<Scene> {
  const server = await startRedis(options);
  const scene = new Scene(server, await startProxy({url: `unix://${server.directory}/redis.sock`}));
  onTestFinished(() => scene.stop());
  return scene;
}

/** Numbered values, as `a0`, `a1`, … */
export const numbered = (prefix: string, count: number): string[] =>
  Array.from({length: count}, (_, index) => `${prefix}${index}`);
