/** An interactive shell in a terminal of tmux, as a person has it: keys go in, and the screen is read. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {isAlive} from './consuming.js';
import {until} from './redis-server.js';
import {cleanEnvironment, EXECUTABLE, streamlog} from './run-cli.js';

const SHELLS = {
  bash: {command: 'bash --norc --noprofile -i', start: "PS1='> '; . ./script; clear; echo ready"},
  fish: {
    command: 'fish --no-config -i',
    start: "function fish_prompt; echo -n '> '; end; . ./script; clear; echo ready",
  },
  zsh: {
    command: 'zsh -f -i',
    start: "PS1='> '; autoload -Uz compinit; compinit -u -D; . ./script; clear; echo ready",
  },
} as const;
export type ShellName = keyof typeof SHELLS;

export class InteractiveShell {
  readonly #directory: string;
  #lines = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** With the completion script of `streamlog completion NAME --live`; a look-up ends after `limitMs`. */
  static async start(name: ShellName, env: Record<string, string>, limitMs = 300): Promise<InteractiveShell> {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
    const shell = new InteractiveShell(directory);
    symlinkSync(EXECUTABLE, join(directory, 'streamlog'));
    writeFileSync(
      join(directory, 'script'),
      (await streamlog(['completion', name, '--live', '--limit', `${limitMs}ms`])).stdout,
    );
    const all = cleanEnvironment(undefined, {HOME: directory, XDG_CACHE_HOME: directory, ...env});
    const variables = {...all, PATH: `${directory}:${all.PATH}`, TERM: 'xterm', LC_ALL: 'C.UTF-8'};
    const words = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
    const {command, start} = SHELLS[name];
    const size = ['-x', '100', '-y', '30'];
    shell.#tmux('new-session', '-d', ...size, '-c', directory, 'env', '-i', ...words, ...command.split(' '));
    shell.#type(start);
    shell.#tmux('send-keys', 'Enter');
    await until(() => /^ready$/m.test(shell.screen()), 'the shell was ready', 10_000);
    return shell;
  }

  /** What the line is after a tab at its end. A word typed behind it shows that the shell has done its work. */
  async completed(line: string): Promise<string> {
    const end = `#END${++this.#lines}.`;
    this.#type(line);
    await until(() => this.screen().includes(`> ${line}`), `"${line}" was shown`, 10_000);
    this.#tmux('send-keys', 'Tab');
    this.#type(end);
    await until(() => this.screen().includes(end), `"${line}" was completed`, 10_000);
    const shown = this.screen()
      .split('\n')
      .findLast((text) => text.includes(end))!;
    this.#tmux('send-keys', 'C-u', 'C-l');
    await until(() => !this.screen().includes(end), 'the line was empty again', 10_000);
    return shown
      .replace(/^> /, '')
      .slice(0, shown.indexOf(end) - 2)
      .trimEnd();
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Resolves when the shell has ended: until then it may write its history, and what appears in a directory is not removed with it. */
  async end(): Promise<void> {
    const pid = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    this.#tmux('kill-server');
    await until(() => !isAlive(pid), 'the shell has ended', 10_000);
    rmSync(this.#directory, {recursive: true, force: true});
  }

  #type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', join(this.#directory, 'tmux'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
    });
  }
}
