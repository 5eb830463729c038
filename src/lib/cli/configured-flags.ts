/**
 * What configuration says instead of flags that were not typed: a stream and a group, and `[defaults.COMMAND]`. Invariant: a flag that
 * was typed, or a flag that excludes it, wins; and what is filled in never counts as typed.
 */
import type {Interfaces} from '@oclif/core';
import type {FlagDefaults} from '../config/config.js';
import type {DefaultValue} from '../config/config-schema.js';
import {StreamlogError} from '../errors.js';
import {nearest} from '../near-word.js';

/** https://github.com/oclif/core/blob/main/src/interfaces/parser.ts */
type FlagInput = Interfaces.FlagInput;
type Flag = FlagInput[string];

/** Which server it is, is for contexts; the others would undo what they guard. */
const NEVER = ['url', 'context', 'write', 'force'];

/** Parses without any rule, to learn which flags were typed. */
export const withoutRules = (flags: FlagInput): FlagInput =>
  Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      const {required, exclusive, dependsOn, exactlyOne, atLeastOne, relationships, env, default: _, ...plain} = flag;
      return [name, {...plain, parse: async (input: unknown) => input} as Flag];
    }),
  );

/** `defaults` as arguments to stand before those that were typed. Throws `configuration` for what the command does not take. */
export async function argumentsFor(
  defaults: FlagDefaults,
  flags: FlagInput,
  typed: ReadonlySet<string>,
): Promise<string[]> {
  const used = new Map<string, DefaultValue>();
  for (const [name, {value, at}] of defaults) {
    const flag = Object.hasOwn(flags, name) && !NEVER.includes(name) ? flags[name]! : undefined;
    if (flag === undefined) throw unknownFlag(name, at, flags);
    await check(name, flag, value, at);
    const isGiven = typed.has(name) || (flag.env !== undefined && (process.env[flag.env] ?? '').trim() !== '');
    const isExcluded = [...typed].some((other) => excludes(flags, name, other) || excludes(flags, other, name));
    if (!isGiven && !isExcluded) used.set(name, value);
  }
  const isThere = (name: string): boolean => typed.has(name) || used.has(name);
  for (const name of used.keys())
    if (!(flags[name]!.dependsOn ?? []).every((needed) => isThere(String(needed)))) used.delete(name);
  return [...used].flatMap(([name, value]) => wordsOf(name, flags[name]!, value));
}

const excludes = (flags: FlagInput, name: string, other: string): boolean => {
  if (name === other) return false;
  const {exclusive = [], exactlyOne = []} = flags[name] ?? {};
  return exclusive.includes(other) || exactlyOne.includes(other);
};

function wordsOf(name: string, flag: Flag, value: DefaultValue): string[] {
  if (flag.type === 'boolean') return value ? [`--${name}`] : flag.allowNo ? [`--no-${name}`] : [];
  return [value].flat().map((one) => `--${name}=${one}`);
}

/** A value that the flag would refuse is a mistake in the file, not in what was typed. */
async function check(name: string, flag: Flag, value: DefaultValue, at: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw new StreamlogError('configuration', `${at}: ${reason}`);
  };
  if (flag.type === 'boolean') {
    if (typeof value !== 'boolean') refuse(`--${name} takes true or false`);
    return;
  }
  if (typeof value === 'boolean') refuse(`--${name} takes a value`);
  if (Array.isArray(value) && !flag.multiple) refuse(`--${name} takes one value`);
  for (const one of [value].flat().map(String)) {
    if (flag.options !== undefined && !flag.options.includes(one))
      refuse(`--${name} takes one of ${flag.options.join(', ')}`);
    // biome-ignore lint/suspicious/noExplicitAny: oclif types the context of a parser as a whole command
    await (flag.parse as any)?.(one, {}, {...flag, name}).catch((error: unknown) => {
      refuse(error instanceof Error ? error.message : `--${name} does not take this value`);
    });
  }
}

function unknownFlag(name: string, at: string, flags: FlagInput): StreamlogError {
  if (NEVER.includes(name)) {
    const hint =
      name === 'url' || name === 'context' ? 'add a context: streamlog context add NAME --url URL' : undefined;
    return new StreamlogError('configuration', `${at}: --${name} has no default`, {hint});
  }
  const near = nearest(
    name,
    Object.keys(flags).filter((known) => !NEVER.includes(known)),
  );
  return new StreamlogError(
    'configuration',
    `${at}: the command has no flag --${name}${near === undefined ? '' : `; did you mean --${near}?`}`,
  );
}

/** The flags, where `setting` gives the stream and the group something instead of the default. */
export async function withSettings(
  flags: FlagInput,
  setting: (name: 'stream' | 'group') => {value: string; winsOverVariable: boolean} | undefined,
): Promise<FlagInput> {
  const changed = {...flags};
  for (const name of ['stream', 'group'] as const) {
    const flag = flags[name];
    // Flags of this name without a variable stand for something else.
    if (flag?.type !== 'option' || flag.env === undefined) continue;
    const found = setting(name);
    if (found === undefined) continue;
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const value: unknown = await (flag.parse as any)(found.value, {}, {...flag, name});
    const {env, ...plain} = flag;
    changed[name] = {
      ...plain,
      ...(found.winsOverVariable ? {} : {env}),
      default: flag.multiple ? [value] : value,
    } as Flag;
  }
  return changed;
}
