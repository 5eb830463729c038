/** A log of numbered lines, as a program writes it, and real logrotate. */
import {execFile} from 'node:child_process';
import {closeSync, openSync, writeFileSync, writeSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {promisify} from 'node:util';
import type {SeededRandom} from '../faults/support/seed.js';

export type Rotation = 'create' | 'copytruncate';

const run = promisify(execFile);
const PATH = [process.env.PATH, '/usr/sbin'].join(delimiter);

export class RotatedLog {
  readonly path: string;
  /** Whole lines that were written, numbered from 0. */
  lines = 0;
  rotations = 0;
  readonly #directory: string;
  readonly #random: SeededRandom;
  readonly #rotation: Rotation;
  #fd: number;
  #isInLine = false;

  constructor(directory: string, rotation: Rotation, random: SeededRandom) {
    this.#directory = directory;
    this.path = join(directory, 'app.log');
    this.#rotation = rotation;
    this.#random = random;
    this.#fd = openSync(this.path, 'a');
    const text = `${this.path} {\n  rotate 1000\n  ${rotation}\n}\n`;
    writeFileSync(join(directory, 'logrotate.conf'), text, {mode: 0o644});
  }

  /** So many lines, in as many writes as chance will have; the last one may stop in the midst of a line, which the next one ends. */
  write(count: number): void {
    let text = '';
    const flush = (): void => {
      writeSync(this.#fd, text);
      text = '';
    };
    for (let written = 0; written < count; written++) {
      text += this.#isInLine ? '' : '{"n":';
      if (this.#random.chance(0.05)) flush();
      text += `${this.lines++},"what":"numbered"}\n`;
      this.#isInLine = false;
      if (this.#random.chance(0.1)) flush();
    }
    flush();
    if (this.#random.chance(0.3)) {
      writeSync(this.#fd, '{"n":');
      this.#isInLine = true;
    }
  }

  /** By logrotate. A program that is to open its log anew goes on with the old one for a few lines; one whose log is copied is paused. */
  async rotate(): Promise<void> {
    const configuration = join(this.#directory, 'logrotate.conf');
    const args = ['--force', '--state', join(this.#directory, 'state'), configuration];
    await run('logrotate', args, {env: {PATH}});
    this.rotations++;
    if (this.#rotation === 'copytruncate') return;
    this.write(this.#random.integer(1, 20));
    this.#endLine();
    closeSync(this.#fd);
    this.#fd = openSync(this.path, 'a');
  }

  /** Ends the last line. */
  close(): void {
    this.#endLine();
    closeSync(this.#fd);
  }

  #endLine(): void {
    if (!this.#isInLine) return;
    writeSync(this.#fd, `${this.lines++},"what":"numbered"}\n`);
    this.#isInLine = false;
  }
}
