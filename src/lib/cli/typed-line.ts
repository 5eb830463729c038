/** A command line that is not finished: which command it is, and what its flags and arguments say so far. */
import type {Command} from '@oclif/core';
import type {CommandIndex} from './command-index.js';
import {findCommand} from './command-search.js';

export interface TypedLine {
  /** `group:list`; undefined where there is none yet. */
  id: string | undefined;
  /** The values of a flag, by its long name, as they were typed. */
  flag(name: string): readonly string[];
  /** What was typed by position, behind the command. */
  positional: readonly string[];
  /** The command's own facts. */
  command: Command.Cached | undefined;
}

/** Reads all words but the one that is being typed. Throws nothing: what makes no sense yet is left out. */
export async function readTypedLine(words: readonly string[], index: CommandIndex): Promise<TypedLine> {
  const [id, ...rest] = findCommand(words, (await index.flags()).default) ?? [undefined, ...words];
  const command = id === undefined ? undefined : (await index.commands[id]!.details()).default;
  const known = Object.values(command?.flags ?? {});
  const values = new Map<string, string[]>();
  const positional: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!;
    const [, long, letter, attached] = /^(?:--([^=]+)|-(.))(?:=?(.+))?$/su.exec(word) ?? [];
    const flag = known.find(({name, char}) =>
      long === undefined ? char === letter && letter !== undefined : name === long,
    );
    if (flag?.type === 'option') {
      const value = attached ?? rest[++at];
      if (value !== undefined) values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
    } else if (!word.startsWith('-')) positional.push(word);
  }
  return {id, command, positional, flag: (name) => values.get(name) ?? []};
}
