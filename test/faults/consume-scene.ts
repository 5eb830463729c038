/**
 * What the tests of consuming through faults play on: one server, the proxy in
 * front of it, `streamlog consume` behind the proxy, and a history of all that
 * was added and printed. Each test has a scene of its own, so that tests run
 * side by side. Invariant: everything that was started ends with its test.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {expect, type TestContext} from 'vitest';
import {endWithUs} from '../support/leftovers.js';
import {type RedisServer, type ServerOptions, startRedis, until} from '../support/redis-server.js';
import {type Running, type RunOptions, startStreamlog} from '../support/run-cli.js';
import {collect} from './support/collect.js';
import {type HistoryEvent, judge} from './support/history.js';
import {type FaultProxy, startProxy} from './support/proxy.js';
import {explain, isSound} from './support/verdict.js';

export const STREAM = 'events';
export const GROUP = 'streamlog';

/** A record as `consume` prints it. */
export interface Printed {
  id: string;
  value: string;
  deliveries: number;
}

export class Scene {
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
  readonly #added = new Map<string, string>();
  readonly #consumers: Running[] = [];
  #process: ChildProcess;

  constructor(server: RedisServer, proxy: FaultProxy) {
    this.server = server;
    this.proxy = proxy;
    this.#process = server.process;
  }

  /** A plain client, past the proxy. */
  get redis(): RedisServer['redis'] {
    return this.server.redis;
  }

  /** Adds an entry for each value, in order, and returns their IDs. */
  async add(...values: string[]): Promise<string[]> {
    const pipeline = this.redis.pipeline();
    for (const value of values) pipeline.xadd(STREAM, '*', 'value', value);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, id], index) => {
      if (error) throw error;
      this.#added.set(String(id), values[index]!);
      return String(id);
    });
  }

  /** `streamlog consume …args` behind the proxy, named w1 unless `args` name it. */
  consume(args: readonly string[] = [], {env = {}, ...options}: RunOptions = {}): Running {
    const running = startStreamlog(['consume', ...(args.includes('--name') ? [] : ['--name', 'w1']), ...args], {
      limitMs: 50_000,
      ...options,
      env: {STREAMLOG_URL: this.proxy.url, ...env},
    });
    running.process.stdin.end();
    this.#consumers.push(running);
    return running;
  }

  /** A consumer that waits for entries, so that a fault meets it in a read that blocks. */
  async idleConsumer(args: readonly string[] = [], options: RunOptions = {}): Promise<Running> {
    const running = this.consume(args, options);
    const [id] = await this.add('first');
    await until(() => printed(running).some((record) => record.id === id), 'the first entry is printed');
    await this.untilAllAcknowledged();
    await this.untilBlocked();
    return running;
  }

  /** Waits until a client of ours blocks in a read. */
  async untilBlocked(): Promise<void> {
    await until(async () => (await this.clients()).some(({cmd, flags}) => isBlocked(cmd!, flags!)), 'a read blocks');
  }

  /** What CLIENT LIST says of the connections of `consume`. */
  async clients(): Promise<Record<string, string>[]> {
    const list = String(await this.redis.call('CLIENT', 'LIST'));
    return list
      .trim()
      .split('\n')
      .map((line) => Object.fromEntries(line.split(' ').map((pair) => pair.split(/=(.*)/s).slice(0, 2))))
      .filter(({name}) => name!.startsWith('streamlog'));
  }

  async untilPrinted(running: Running, ...values: string[]): Promise<void> {
    const missing = (): string[] => {
      const got = new Set(printed(running).map(({value}) => value));
      return values.filter((value) => !got.has(value));
    };
    await until(
      () => running.process.exitCode !== null || missing().length === 0,
      `${values.length} values are printed`,
      25_000,
    );
    expect(missing(), `not printed; stderr: ${running.stderr()}`).toEqual([]);
  }

  /** How many entries are pending, with anyone. */
  async pending(): Promise<number> {
    return Number(((await this.redis.xpending(STREAM, GROUP)) as [number])[0]);
  }

  async untilAllAcknowledged(): Promise<void> {
    await until(async () => (await this.pending()) === 0, 'all that was delivered is acknowledged');
  }

  /** Ends `running` by SIGTERM, and says how. */
  async end(running: Running): Promise<number | null> {
    running.process.kill('SIGTERM');
    return (await running.finished).code;
  }

  /** kill -9 of the server, as if its machine had failed. */
  async killServer(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }

  /** Starts the server again, with the data that it wrote down; `args` come on top of those it had. */
  startServerAgain(args: readonly string[] = []): void {
    const [program = '', ...before] = this.server.process.spawnargs;
    this.#process = spawn(program, [...before, ...args], {stdio: 'ignore'});
    endWithUs(this.#process);
  }

  signalServer(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Takes the server off the network until a client has tried `attempts` times to connect. */
  async awayFor(attempts: number): Promise<void> {
    this.proxy.refuse();
    let tried = 0;
    const listener = createServer((socket) => {
      tried++;
      socket.on('error', () => {}).destroy();
    });
    await until(async () => {
      const listens = new Promise<boolean>((resolve) => {
        listener.once('error', () => resolve(false)).once('listening', () => resolve(true));
      });
      listener.listen(this.proxy.port, '127.0.0.1');
      return listens;
    }, 'the port is free');
    this.proxy.cut();
    await until(() => tried >= attempts, `${attempts} attempts to connect`, 25_000);
    await new Promise((resolve) => listener.close(resolve));
    await this.proxy.listen();
  }

  /**
   * Holds what was added against what was printed and what the server has in
   * the end: all of it delivered, nothing pending, nothing acknowledged that was
   * not printed, and nothing printed twice unless `repeats` allows it.
   */
  async expectAllDelivered({repeats = false} = {}): Promise<void> {
    await this.untilAllAcknowledged();
    const events: HistoryEvent[] = [...this.#added].flatMap(([id, value]) => [
      {what: 'attempted', value, by: 'test'},
      {what: 'confirmed', value, id},
    ]);
    for (const consumer of this.#consumers) {
      for (const record of printed(consumer)) {
        events.push({what: 'delivered', by: 'consumer', ...record}, {what: 'succeeded', id: record.id});
      }
    }
    const verdict = judge(events, await collect(this.redis, STREAM, GROUP));
    const stderr = this.#consumers.map((consumer) => consumer.stderr()).join('');
    const about = `${explain(verdict)}\n${stderr}`;
    expect(isSound(verdict), about).toBe(true);
    expect(verdict.undelivered, about).toEqual([]);
    if (!repeats) expect(verdict.duplicateDeliveries, about).toEqual([]);
  }

  async stop(): Promise<void> {
    for (const {process, finished} of this.#consumers) {
      process.kill('SIGKILL');
      process.kill('SIGCONT');
      await finished.catch(() => {});
    }
    await this.proxy.stop();
    if (this.#process !== this.server.process && this.#process.exitCode === null) await this.killServer();
    await this.server.stop();
  }
}

/** A scene for the test of `context`, which ends with it. */
export async function startScene({onTestFinished}: TestContext, options: ServerOptions = {}): Promise<Scene> {
  const server = await startRedis(options);
  const scene = new Scene(server, await startProxy({url: `unix://${server.directory}/redis.sock`}));
  onTestFinished(() => scene.stop());
  return scene;
}

/** All whole lines that were printed so far. */
export function printed(running: Running): Printed[] {
  const lines = running.stdout().split('\n').slice(0, -1);
  return lines.map((line) => {
    const {id, fields, deliveries} = JSON.parse(line);
    return {id, value: fields.value, deliveries};
  });
}

/** Numbered values, as `a0`, `a1`, … */
export const numbered = (prefix: string, count: number): string[] =>
  Array.from({length: count}, (_, index) => `${prefix}${index}`);

export const isBlocked = (cmd: string, flags: string): boolean => cmd === 'xreadgroup' && flags.includes('b');

/** Waits until `consumer` says `what` on standard error. */
export const untilTold = (consumer: Running, what: RegExp): Promise<void> =>
  until(() => what.test(consumer.stderr()), `it says ${what}`, 30_000);

/** A handler that tells that it has begun, and waits for `open` to let it go. */
export function gate({server}: Scene): {command: string; begun: () => number; open: () => void} {
  const begun = join(server.directory, 'begun');
  const open = join(server.directory, 'open');
  return {
    command: `echo >> '${begun}'; until [ -e '${open}' ]; do sleep 0.02; done; cat`,
    begun: () => (existsSync(begun) ? readFileSync(begun, 'utf8').length : 0),
    open: () => writeFileSync(open, ''),
  };
}
