/**
 * A temporary directory with private servers and the processes of the demo. Prints each command
 * before it runs, and passes its output on unchanged. Invariant: after `clear`, which also runs at
 * the exit of the process, no process and no file of it is left.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {StreamlogError} from '../../errors.js';
import {launch, makeRoom} from '../../local/launch.js';
import {type LocalPaths, localPaths, processOf} from '../../local/local-server.js';
import type {Colors} from '../../output/colors.js';
import type {Sink} from '../../output/sink.js';
import {serverProgram} from '../server-program.js';

export class Sandbox {
  readonly directory: string;
  readonly paths: LocalPaths;
  /** Of a second server, which is started when it is asked for. */
  readonly #second: LocalPaths;
  readonly #out: Sink;
  readonly #colors: Colors;
  readonly #stopping: AbortSignal;
  readonly #running = new Set<ChildProcess>();
  readonly #onExit = (): void => this.clear();

  private constructor(out: Sink, colors: Colors, stopping: AbortSignal) {
    this.#out = out;
    this.#colors = colors;
    this.#stopping = stopping;
    this.directory = mkdtempSync(join(tmpdir(), 'streamlog-demo-'));
    this.paths = localPaths(this.directory);
    this.#second = localPaths(join(this.directory, '2'));
    process.on('exit', this.#onExit);
    stopping.addEventListener('abort', () => this.#killAll(), {once: true});
  }

  /** Creates the directory and starts the server. Throws `configuration` if there is no server program. */
  static async open(out: Sink, colors: Colors, stopping: AbortSignal): Promise<Sandbox> {
    const sandbox = new Sandbox(out, colors, stopping);
    try {
      writeOwnLauncher(join(sandbox.directory, 'streamlog'));
      makeRoom(sandbox.paths);
      await launch(sandbox.paths, serverProgram);
    } catch (error) {
      sandbox.clear();
      throw error;
    }
    return sandbox;
  }

  /** Starts a second server, which commands know as `$SECOND`. */
  async openSecond(): Promise<void> {
    makeRoom(this.#second);
    await launch(this.#second, serverProgram);
  }

  /** A paragraph for the reader. */
  async say(text: string): Promise<void> {
    this.#stopIfAsked();
    await this.#out.write(`\n${this.#colors.heading(text)}\n`);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  /** Prints `line` as you would type it, runs it in a shell and waits. Throws if it fails. */
  async run(line: string): Promise<void> {
    await this.#show(line);
    await this.finish(this.#spawn(line, 'inherit'));
  }

  /** Waits for a command that was started. Throws if it fails. */
  async finish(child: ChildProcess): Promise<void> {
    const code = await this.#ended(child);
    this.#stopIfAsked();
    if (code !== 0) {
      const line = child.spawnargs.at(-1);
      throw new StreamlogError('incomplete', `a command of the demo failed with exit code ${code}: ${line}`);
    }
  }

  /** Prints `line` and starts it in the background, as `&` in a shell does. */
  async start(line: string): Promise<ChildProcess> {
    await this.#show(`${line} &`);
    return this.#spawn(line, 'ignore');
  }

  /** Sends `signal` to the shell and all its processes, prints that, and waits for the end. */
  async kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM', name: string): Promise<void> {
    await this.#show(`kill -s ${signal.slice(3)} -- -${child.pid}   # ${name}, all its processes`);
    const ended = this.#ended(child);
    signalGroup(child, signal);
    await ended;
  }

  /** Suspends the processes of `child`. */
  hold(child: ChildProcess): void {
    signalGroup(child, 'SIGSTOP');
  }

  /** Resumes them. */
  release(child: ChildProcess): void {
    signalGroup(child, 'SIGCONT');
  }

  /** Kills all processes that were started here, and removes the directory. */
  clear(): void {
    process.off('exit', this.#onExit);
    this.#killAll();
    for (const paths of [this.paths, this.#second]) {
      const server = processOf(paths);
      if (server !== undefined) process.kill(server, 'SIGKILL');
    }
    rmSync(this.directory, {recursive: true, force: true});
  }

  #killAll(): void {
    for (const child of this.#running) signalGroup(child, 'SIGKILL');
  }

  async #show(line: string): Promise<void> {
    this.#stopIfAsked();
    await this.#out.write(`${this.#colors.good('$')} ${this.#colors.name(line)}\n`);
  }

  #spawn(line: string, output: 'inherit' | 'ignore'): ChildProcess {
    const child = spawn('sh', ['-c', line], {
      cwd: this.directory,
      // A group of its own, so that one signal reaches all processes of a pipeline.
      detached: true,
      env: {
        ...process.env,
        PATH: `${this.directory}:${process.env.PATH ?? ''}`,
        STREAMLOG_URL: this.paths.url,
        SECOND: this.#second.url,
        // Whatever is configured.
        STREAMLOG_CONFIG: '/dev/null',
      },
      stdio: ['ignore', output, output],
    });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  #ended(child: ChildProcess): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
    return new Promise((resolve, reject) => {
      child.once('exit', resolve);
      child.once('error', reject);
    });
  }

  #stopIfAsked(): void {
    if (this.#stopping.aborted) throw new StreamlogError('interrupted', 'the demo was interrupted');
  }
}

/** Puts this program, however it was started, on the demo's PATH as `streamlog`. */
function writeOwnLauncher(path: string): void {
  const compiled = process.versions.bun !== undefined;
  const program = compiled ? [process.execPath] : [process.execPath, process.argv[1]!];
  const quoted = program.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  writeFileSync(path, `#!/bin/sh\nexec ${quoted} "$@"\n`, {mode: 0o755});
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
