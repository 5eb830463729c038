/** The editor of the user, for a text that becomes a file only when it is valid. */
import {spawn} from 'node:child_process';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {StreamlogError} from '../errors.js';
import type {FileReading} from '../input/whole-file.js';
import {shellWord, wordsOf} from '../shell-word.js';
import type {CommandIndex} from './command-index.js';
import {ContextStore} from './context-store.js';
import {environment, environmentForOthers} from './environment.js';

/** Throws what is wrong with the edited text, which then stays beside the file. */
export async function editConfig(index: CommandIndex, reading: FileReading): Promise<{file: string; changed: boolean}> {
  let changed = false;
  const file = await ContextStore.edit(index, reading, async (text, path, validate) => {
    const copy = `${path}.edited.toml`;
    await writeFile(copy, text, {mode: 0o600, flag: 'wx'}).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    try {
      await runEditor(copy);
    } catch (error) {
      await rm(copy, {force: true});
      throw error;
    }
    const edited = await readFile(copy, 'utf8');
    try {
      await validate(edited);
    } catch (error) {
      if (!(error instanceof StreamlogError)) throw error;
      throw new StreamlogError(error.kind, error.message, {
        hint: `${path} is as it was; what you wrote is in ${copy}, where context edit goes on`,
      });
    }
    await rm(copy);
    changed = edited !== text;
    return edited;
  });
  return {file, changed};
}

/** `$VISUAL`, else `$EDITOR`, else vi, with `path` as its last argument. Throws `configuration` when it cannot be run or fails. */
async function runEditor(path: string): Promise<void> {
  const {VISUAL, EDITOR} = environment();
  const [program, ...args] = wordsOf(VISUAL ?? EDITOR ?? 'vi') ?? [];
  if (program === undefined)
    throw new StreamlogError('configuration', 'the editor that VISUAL or EDITOR names cannot be run: a quote is open');
  const failure = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, [...args, path], {stdio: 'inherit', env: environmentForOthers()});
    child.once('error', ({code}: NodeJS.ErrnoException) =>
      resolve(code === 'ENOENT' ? 'does not exist' : `cannot be run (${code})`),
    );
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `failed (${code === null ? signal : `exit code ${code}`})`),
    );
  });
  if (failure === undefined) return;
  throw new StreamlogError('configuration', `the editor ${shellWord(program)} ${failure}`, {
    hint: 'set VISUAL or EDITOR',
  });
}
