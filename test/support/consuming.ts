/**
 * A server and a directory for one file of tests of `consume`: the directory is
 * `$DIR` to handlers, which leave there what they did and wait there for leave
 * to go on.
 */
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type RedisServer, startRedis, until} from './redis-server.js';
import {type Finished, type Running, type RunOptions, startStreamlog} from './run-cli.js';

export interface PendingEntry {
  id: string;
  consumer: string;
  deliveries: number;
}

/** Of one server; `clear` after each test. */
export class Bench {
  readonly server: RedisServer;
  #directory = newDirectory();
  #started: Running[] = [];

  private constructor(server: RedisServer) {
    this.server = server;
  }

  static async open(args: string[] = []): Promise<Bench> {
    return new Bench(await startRedis({args}));
  }

  async close(): Promise<void> {
    rmSync(this.#directory, {recursive: true, force: true});
    await this.server.stop();
  }

  /** An empty server, an empty directory, and nothing running that a test has left. */
  async clear(): Promise<void> {
    for (const {process} of this.#started) process.kill('SIGKILL');
    await Promise.allSettled(this.#started.map(({finished}) => finished));
    this.#started = [];
    await this.server.redis.flushall();
    rmSync(this.#directory, {recursive: true, force: true});
    this.#directory = newDirectory();
  }

  /** Entries 1-0 … count-0 with the field n, and a group that has read none. */
  async produce(count: number, stream = 'events'): Promise<void> {
    const pipeline = this.server.redis.pipeline();
    for (let ms = 1; ms <= count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', ms);
    pipeline.xgroup('CREATE', stream, 'streamlog', '0', 'MKSTREAM');
    await pipeline.exec();
  }

  /** `consume --name w1 --exec command …args`, left running, with `$DIR`. */
  start(command: string, args: readonly string[] = [], {env = {}, ...options}: RunOptions = {}): Running {
    const name = args.includes('--name') ? [] : ['--name', 'w1'];
    const running = startStreamlog(['consume', '--exec', command, ...name, ...args], {
      server: this.server,
      env: {...env, DIR: this.#directory},
      ...options,
    });
    this.#started.push(running);
    return running;
  }

  /** The same with `--exit`, to its end. */
  async run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
    return this.start(command, ['--exit', ...args], options).finished;
  }

  path(file: string): string {
    return join(this.#directory, file);
  }

  /** The lines of a file in `$DIR`; none while there is no such file. */
  lines(file: string): string[] {
    if (!existsSync(this.path(file))) return [];
    return readFileSync(this.path(file), 'utf8').split('\n').slice(0, -1);
  }

  touch(file: string): void {
    writeFileSync(this.path(file), '');
  }

  /** Waits until a handler has written that many lines. */
  async untilLines(file: string, count: number): Promise<void> {
    await until(() => this.lines(file).length >= count, `${file} has ${count} lines`);
  }

  async pending(stream = 'events'): Promise<PendingEntry[]> {
    const entries = (await this.server.redis.xpending(stream, 'streamlog', '-', '+', 100_000)) as [
      string,
      string,
      number,
      number,
    ][];
    return entries.map(([id, consumer, , deliveries]) => ({id, consumer, deliveries}));
  }

  /** Makes all that is pending look as if it had been delivered `idleMs` ago. */
  async age(idleMs: number): Promise<void> {
    for (const {id, consumer} of await this.pending())
      await this.server.redis.xclaim('events', 'streamlog', consumer, 0, id, 'IDLE', idleMs, 'JUSTID');
  }

  async pendingIds(stream = 'events'): Promise<string[]> {
    return (await this.pending(stream)).map(({id}) => id);
  }

  /** The fields of dead letters. */
  async dead(stream = '{events}:dead'): Promise<Record<string, string>[]> {
    const entries = await this.server.redis.xrange(stream, '-', '+');
    return entries.map(([, flat]) =>
      Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]!]] : []))),
    );
  }
}

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'streamlog-test-'));

/** Shell that waits until `$DIR/file` is there. */
export const waitFor = (file: string): string => `until [ -e "$DIR/${file}" ]; do sleep 0.02; done`;

/** Whether a process runs; one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
