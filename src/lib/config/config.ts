/**
 * Configuration, read and checked. Loaded only where there is a file. Invariant: what is returned is valid; whatever is wrong is one
 * failure that names file and line, and quotes no value, which may be a secret.
 */
import {parse, TomlError} from 'smol-toml';
import type {z} from 'zod/mini';
import {StreamlogError} from '../errors.js';
import {nearest} from '../near-word.js';
import {
  type ContextTable,
  contextSchema,
  type DefaultValue,
  defaultValue,
  projectSchema,
  userSchema,
} from './config-schema.js';
import {lineOf, type Path} from './toml-text.js';

/** A file with its text. */
export interface ConfigText {
  file: string;
  text: string;
}

export interface Context extends ContextTable {
  name: string;
  file: string;
}

/** A default of a flag, or an alias: a value and the line that gives it. */
interface Given<Value> {
  value: Value;
  at: string;
}

export type FlagDefaults = ReadonlyMap<string, Given<DefaultValue>>;
export type Alias = Given<string | string[]>;

export interface ProjectConfig {
  file: string;
  context?: string | undefined;
  stream?: string | undefined;
  group?: string | undefined;
}

export interface Config {
  contexts: ReadonlyMap<string, Context>;
  /** By ID of the command: `group:create`. */
  defaults: ReadonlyMap<string, FlagDefaults>;
  aliases: ReadonlyMap<string, Alias>;
  project: ProjectConfig | undefined;
}

/** Commands that use no server have no defaults. */
const WITHOUT_SERVER = /^(help|version|completion|man|demo|local|context)(:|$)/;

/** `ids` are those of all commands. Throws `configuration`. */
export function readConfig(
  user: readonly ConfigText[],
  project: ConfigText | undefined,
  ids: readonly string[],
): Config {
  const commands = ids.filter((id) => !WITHOUT_SERVER.test(id));
  const words = new Set(ids.map((id) => id.split(':', 1)[0]!));
  const contexts = new Map<string, Context>();
  const defaults = new Map<string, Map<string, Given<DefaultValue>>>();
  const aliases = new Map<string, Alias>();
  for (const source of user) {
    const {context = {}, defaults: tables = {}, alias = {}} = checked(userSchema, source);
    for (const [name, table] of Object.entries(context)) {
      const other = contexts.get(name);
      if (other !== undefined) throw wrong(source, ['context', name], `${other.file} has this context too`);
      contexts.set(name, {name, file: source.file, ...consistent(table, name, source)});
    }
    for (const [name, value] of Object.entries(alias)) {
      if (words.has(name)) throw wrong(source, ['alias', name], 'a command has this name');
      if (aliases.has(name)) throw wrong(source, ['alias', name], 'another file has this alias too');
      aliases.set(name, {value, at: at(source, ['alias', name])});
    }
    readDefaults(tables, source, commands, defaults);
  }
  const own = project === undefined ? undefined : {file: project.file, ...checked(projectSchema, project)};
  return {contexts, defaults, aliases, project: own};
}

function consistent(table: ContextTable, name: string, source: ConfigText): ContextTable {
  const path = ['context', name];
  if (table.password_file !== undefined && table.password_command !== undefined)
    throw wrong(source, [...path, 'password_command'], 'give password_file or password_command, not both');
  if ((table.cert === undefined) !== (table.key === undefined))
    throw wrong(source, [...path, table.cert === undefined ? 'key' : 'cert'], 'cert and key go together');
  return table;
}

/** Tables are words of commands down to one that is a command; below it are flags. */
function readDefaults(
  tables: Record<string, unknown>,
  source: ConfigText,
  commands: readonly string[],
  found: Map<string, Map<string, Given<DefaultValue>>>,
  words: readonly string[] = [],
): void {
  for (const [word, inner] of Object.entries(tables)) {
    const path = ['defaults', ...words, word];
    const id = [...words, word].join(':');
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner))
      throw wrong(source, path, 'it stands outside of a table of a command, such as [defaults.produce]');
    if (commands.includes(id)) {
      const flags = found.get(id) ?? new Map<string, Given<DefaultValue>>();
      found.set(id, flags);
      for (const [flag, value] of Object.entries(inner)) {
        const here = [...path, flag];
        if (flags.has(flag)) throw wrong(source, here, 'another file has this default too');
        flags.set(flag, {value: checkedPart(defaultValue, value, source, here), at: at(source, here)});
      }
    } else if (commands.some((command) => command.startsWith(`${id}:`))) {
      readDefaults(inner as Record<string, unknown>, source, commands, found, [...words, word]);
    } else {
      const near = nearest(
        id.replaceAll(':', ' '),
        commands.map((command) => command.replaceAll(':', ' ')),
      );
      throw wrong(
        source,
        path,
        `no command that uses a server has this name${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
  }
}

/** The whole file. */
function checked<Schema extends z.ZodMiniType>(schema: Schema, source: ConfigText): z.infer<Schema> {
  return checkedPart(schema, parsed(source), source, []);
}

function parsed(source: ConfigText): unknown {
  try {
    return parse(source.text, {unsafeKeyBehaviour: 'throw'});
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its other lines quote the text.
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new StreamlogError('configuration', `${source.file}:${error.line}: this is no TOML: ${reason}`);
  }
}

function checkedPart<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  source: ConfigText,
  path: Path,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .map((issue) => problemOf(issue, value, path, schema))
    .map((problem) => ({...problem, line: lineOf(source.text, problem.path)}))
    // A key that is missing may be the one that is unknown.
    .sort((a, b) => Number(a.reason === MISSING) - Number(b.reason === MISSING) || a.line - b.line);
  throw wrong(source, problems[0]!.path, problems[0]!.reason);
}

const MISSING = 'it is missing';

/** What is wrong, in our words: zod's may quote a value. */
function problemOf(
  issue: z.core.$ZodIssue,
  value: unknown,
  start: Path,
  schema: z.ZodMiniType,
): {path: Path; reason: string} {
  const path = [...start, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const known = keysOf(path, schema);
    const near = nearest(key, known);
    const meant = near === undefined ? known.filter((name) => name.startsWith(key)) : [near];
    const help = meant.length === 0 ? `known are ${known.join(', ')}` : `did you mean ${meant.join(' or ')}?`;
    return {path: [...path, key], reason: `unknown key; ${help}`};
  }
  if (issue.code === 'invalid_key') return {path, reason: `it has to be ${issue.issues[0]!.message}`};
  if (valueAt(value, issue.path) === undefined) return {path, reason: MISSING};
  return {path, reason: `it takes ${issue.message}`};
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);

/** What may stand in the table at `path`. */
function keysOf(path: Path, schema: z.ZodMiniType): string[] {
  const {shape} = path.length === 0 ? (schema as typeof userSchema | typeof projectSchema) : contextSchema;
  return Object.keys(shape);
}

const at = ({file, text}: ConfigText, path: Path): string => `${file}:${lineOf(text, path)}`;

/** `path` is shown as TOML has it, so that it can be found. */
const wrong = (source: ConfigText, path: Path, reason: string): StreamlogError =>
  new StreamlogError('configuration', `${at(source, path)}: ${path.join('.')}: ${reason}`);
