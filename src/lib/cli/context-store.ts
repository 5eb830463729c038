/**
 * Contexts as the commands of `context` see and change them. Invariant: a change is written whole and only if the whole configuration
 * is valid with it; all other lines of the file stay as they are.
 */
import {existsSync, mkdirSync, realpathSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import type {Context} from '../config/config.js';
import type {ContextTable} from '../config/config-schema.js';
import {type ContextState, readContextState, writeContextState} from '../config/context-state.js';
import {contextNamed} from '../config/settings.js';
import {StreamlogError, systemReason, usageError} from '../errors.js';
import type {FileReading} from '../input/whole-file.js';
import {urlWithoutPassword} from '../redact.js';
import {replaceFile} from '../replaced-file.js';
import type {CommandIndex} from './command-index.js';
import {readFiles, readText} from './config-reading.js';
import {type Config, configFiles, configPaths, contextStateFile, loadConfig} from './configuration.js';
import {withLockFile} from './lock-file.js';

export class ContextStore {
  readonly #index: CommandIndex;
  readonly #reading: FileReading;
  readonly config: Config | undefined;

  private constructor(index: CommandIndex, reading: FileReading, config: Config | undefined) {
    this.#index = index;
    this.#reading = reading;
    this.config = config;
  }

  /** Reads the configuration. Throws `configuration` for what is wrong in it. */
  static async open(index: CommandIndex, reading: FileReading): Promise<ContextStore> {
    return new ContextStore(index, reading, await loadConfig(index, reading));
  }

  /** In the order of names. */
  get contexts(): Context[] {
    return [...(this.config?.contexts.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get state(): ContextState {
    return readContextState(contextStateFile());
  }

  /** Throws `configuration` where there is none of this name. */
  named(name: string): Context {
    return contextNamed(name, this.config?.contexts ?? new Map());
  }

  /** Adds a context to the file of the user, or replaces the one of that name where it is. */
  async add(name: string, table: ContextTable, replace: boolean): Promise<{file: string; replaced: boolean}> {
    const known = this.config?.contexts.get(name);
    if (known !== undefined && !replace)
      throw usageError(
        `context ${name} exists already, in ${known.file}`,
        'to replace it, add --force; to change it: streamlog context edit',
      );
    const file = known?.file ?? userFile();
    const mode = urlWithoutPassword(table.url) === table.url ? undefined : 0o600;
    const edit = async (text: string): Promise<string | undefined> => {
      const {withoutTable, withTable} = await import('../config/toml-text.js');
      const before = known === undefined ? text : withoutTable(text, ['context', name]);
      return before === undefined ? undefined : withTable(before, ['context', name], table);
    };
    await this.#change(file, edit, mode);
    return {file, replaced: known !== undefined};
  }

  /** Removes a context; nothing is current then if it was. */
  async remove(name: string): Promise<{file: string; wasCurrent: boolean}> {
    const {file} = this.named(name);
    await this.#change(file, async (text) =>
      (await import('../config/toml-text.js')).withoutTable(text, ['context', name]),
    );
    const {current, previous} = this.state;
    if (current === name || previous === name)
      await writeContextState(contextStateFile(), {
        current: current === name ? undefined : current,
        previous: previous === name ? undefined : previous,
      });
    return {file, wasCurrent: current === name};
  }

  /** Makes a context the current one; undefined makes none current, and `-` the one before. */
  async use(name: string | undefined): Promise<ContextState> {
    const {current, previous} = this.state;
    if (name === '-' && previous === undefined)
      throw usageError('there was no context before this one', 'see: streamlog context list');
    const chosen = name === '-' ? previous : name;
    if (chosen !== undefined) this.named(chosen);
    const state = chosen === current ? {current, previous} : {current: chosen, previous: current};
    await writeContextState(contextStateFile(), state);
    return state;
  }

  /** Replaces the file of the user by what `edit` makes of it, as valid or not as it was; `validate` says what is wrong with a text. */
  static async edit(
    index: CommandIndex,
    reading: FileReading,
    edit: (text: string, path: string, validate: (text: string) => Promise<void>) => Promise<string>,
  ): Promise<string> {
    const file = userFile();
    const store = new ContextStore(index, reading, undefined);
    await store.#change(file, (text, path) => edit(text, path, (edited) => store.#validate(file, edited)));
    return file;
  }

  /** A file that exists keeps its mode, unless another is given. */
  async #change(
    file: string,
    edit: (text: string, path: string) => Promise<string | undefined>,
    mode?: number,
  ): Promise<void> {
    // A link to a file elsewhere stays one.
    const path = existsSync(file) ? realpathSync(file) : file;
    await orIoFailure(path, async () => {
      mkdirSync(dirname(path), {recursive: true, mode: 0o700});
    });
    await orIoFailure(path, () =>
      withLockFile(`${path}.lock`, async () => {
        const exists = existsSync(path);
        const before = exists ? (await readText(path, this.#reading)).text : '';
        const after = await edit(before, path);
        if (after === undefined)
          throw new StreamlogError('configuration', `${file} cannot be changed without changing something else in it`, {
            hint: 'change it by hand: streamlog context edit',
          });
        await this.#validate(file, after);
        await replaceFile(path, after, mode ?? (exists ? statSync(path).mode & 0o777 : 0o600));
      }),
    );
  }

  /** Throws `configuration` where the whole would be invalid if `file` had this text. */
  async #validate(file: string, text: string): Promise<void> {
    const {user, project} = configFiles();
    const files = {user: user.includes(file) ? user : [file, ...user], project};
    await readFiles(files, this.#index, this.#reading, {file, text});
  }
}

function userFile(): string {
  const {file} = configPaths();
  if (file !== undefined) return file;
  throw new StreamlogError('configuration', 'there is no home directory', {hint: 'set HOME or STREAMLOG_CONFIG'});
}

async function orIoFailure<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot write ${path}: ${systemReason(code)}`, {code});
  }
}
