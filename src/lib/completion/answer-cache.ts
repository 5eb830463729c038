/**
 * Names that were offered a moment ago, in a file for each server, so that the next key costs no connection. Invariants:
 * only their user can read them; nothing is older than 30 s; a file that cannot be used counts as none.
 */
import {createHash} from 'node:crypto';
import {lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod/mini';
import type {KnownNames} from '../reading/known-names.js';

const KEPT_MS = 30_000;
const MOST_BYTES = 1_000_000;

const CACHED = z.array(
  z.object({
    atMs: z.number(),
    /** What was asked for, without its prefix. */
    about: z.string(),
    prefix: z.string(),
    names: z.array(z.string()),
    areAll: z.boolean(),
  }),
);
type Answers = z.infer<typeof CACHED>;

export class AnswerCache {
  readonly #directory: string | undefined;
  readonly #file: string;

  /** Without a directory, nothing is kept. `target` is what tells servers and their users apart. */
  constructor(directory: string | undefined, target: readonly unknown[]) {
    this.#directory = directory;
    const hash = createHash('sha256').update(JSON.stringify(target)).digest('hex').slice(0, 16);
    this.#file = join(directory ?? '', `complete-${hash}`);
  }

  /** The names that begin with `prefix`; undefined if they are not known. */
  find(about: string, prefix: string, nowMs: number): readonly string[] | undefined {
    const fit = this.#answers(nowMs).find(
      (one) => one.about === about && (one.prefix === prefix || (one.areAll && prefix.startsWith(one.prefix))),
    );
    return fit?.names.filter((name) => name.startsWith(prefix));
  }

  /** Throws nothing: without a cache, it is asked again. */
  keep(about: string, prefix: string, {names, areAll}: KnownNames, nowMs: number): void {
    const others = this.#answers(nowMs).filter((one) => one.about !== about || one.prefix !== prefix);
    const text = JSON.stringify([{atMs: nowMs, about, prefix, names, areAll}, ...others]);
    if (text.length > MOST_BYTES || this.#directory === undefined) return;
    const written = `${this.#file}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    try {
      mkdirSync(this.#directory, {recursive: true, mode: 0o700});
      rmSync(written, {force: true});
      // Not through a link that was made meanwhile.
      writeFileSync(written, text, {mode: 0o600, flag: 'wx'});
      renameSync(written, this.#file);
    } catch {
      // What is left is written over by the next that has the same answer.
    }
  }

  #answers(nowMs: number): Answers {
    try {
      if (this.#directory === undefined || !lstatSync(this.#file).isFile()) return [];
      const answers = CACHED.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
      return answers.filter(({atMs}) => atMs <= nowMs && nowMs - atMs < KEPT_MS);
    } catch {
      return [];
    }
  }
}
