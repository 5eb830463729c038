/**
 * Which server, and which settings go with it. Invariant: sources are asked in one order, which is that of docs/contexts.md; a context
 * has a say only if it is the one that names the server.
 */
import {dirname, join, resolve} from 'node:path';
import {StreamlogError} from '../errors.js';
import {nearest} from '../near-word.js';
import type {Context, ProjectConfig} from './config.js';

const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** Where a password is. */
export type Secret = {file: string} | {command: readonly string[]} | {text: string};

export interface Settings {
  stream?: string | undefined;
  group?: string | undefined;
  username?: string | undefined;
  password?: Secret | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: Secret | undefined;
  cacert?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  sni?: string | undefined;
  mapAddress?: readonly string[] | undefined;
}

/** Flags that were typed, or variables that are set. */
export interface DirectSource extends Settings {
  url?: string | undefined;
  context?: string | undefined;
}

export interface Sources {
  flags: DirectSource;
  variables: DirectSource & {redisUrl?: string | undefined};
  project: ProjectConfig | undefined;
  contexts: ReadonlyMap<string, Context>;
  /** Of `context use`; asked where nothing before it names a server, as is the next one. */
  current(): string | undefined;
  privateServer(): string | undefined;
  /** For `~/` in paths. */
  home: string | undefined;
}

/** Who named the context: it ranks as high as that. */
type Rank = 'flag' | 'variable' | 'file';

export interface ServerChoice {
  url: string;
  /** Where the URL came from, for messages. */
  source: string;
  /** What named the context. */
  namedBy?: string;
  context?: Context;
  rank?: Rank;
}

/** The server, from the first source that names one. Throws `configuration` where it names a context that does not exist. */
export function chooseServer(sources: Sources): ServerChoice {
  const {flags, variables, project} = sources;
  if (flags.url !== undefined) return {url: flags.url, source: '--url'};
  if (flags.context !== undefined) return ofContext(flags.context, '--context', 'flag', sources);
  if (variables.url !== undefined) return {url: variables.url, source: 'STREAMLOG_URL'};
  if (variables.context !== undefined) return ofContext(variables.context, 'STREAMLOG_CONTEXT', 'variable', sources);
  if (project?.context !== undefined) return ofContext(project.context, project.file, 'file', sources);
  const current = sources.current();
  if (current !== undefined) return ofContext(current, 'context use', 'file', sources);
  if (variables.redisUrl !== undefined) return {url: variables.redisUrl, source: 'REDIS_URL'};
  const local = sources.privateServer();
  if (local !== undefined) return {url: local, source: 'the private server'};
  return {url: DEFAULT_URL, source: 'the default'};
}

function ofContext(name: string, namedBy: string, rank: Rank, sources: Sources): ServerChoice {
  // Who has just typed it knows where it stands.
  const context = contextNamed(name, sources.contexts, rank === 'flag' ? undefined : namedBy);
  return {url: context.url, source: sourceOf(context, sources), namedBy, context, rank};
}

/** Throws `configuration` where there is none of this name. */
export function contextNamed(name: string, contexts: ReadonlyMap<string, Context>, namedBy?: string): Context {
  const found = contexts.get(name);
  if (found !== undefined) return found;
  const near = nearest(name, [...contexts.keys()]);
  const origin = namedBy === undefined ? '' : `, which ${namedBy} names`;
  throw new StreamlogError('configuration', `there is no context "${name}"${origin}`, {
    hint: hintFor(near, namedBy, contexts.size),
  });
}

function hintFor(near: string | undefined, namedBy: string | undefined, contexts: number): string {
  if (near !== undefined) return `did you mean ${near}?`;
  if (namedBy === 'context use')
    return 'choose another: streamlog context use NAME, or none: streamlog context use --none';
  return contexts === 0 ? 'add one: streamlog context add NAME --url URL' : 'see: streamlog context list';
}

const sourceOf = ({name, file}: Context, {home}: Sources): string => `context ${name} of ${shortPath(file, home)}`;

/** `~/.config/…` */
const shortPath = (path: string, home: string | undefined): string =>
  home !== undefined && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;

/** A value, and where it came from, for people. */
export interface Found<Value> {
  value: Value;
  source: string;
  rank: 'flag' | 'context' | 'variable' | 'project';
}

interface Layer {
  rank: Found<unknown>['rank'];
  values: Settings;
  sourceOf(name: keyof Settings): string;
}

/** What the first source says that says something about `name`. */
export function settingOf<Name extends keyof Settings>(
  name: Name,
  sources: Sources,
  choice: ServerChoice,
): Found<NonNullable<Settings[Name]>> | undefined {
  for (const {rank, values, sourceOf} of layersOf(sources, choice)) {
    const value = values[name];
    if (value !== undefined) return {value, source: sourceOf(name), rank};
  }
  return undefined;
}

function layersOf(sources: Sources, {context, rank}: ServerChoice): Layer[] {
  const {flags, variables, project, home} = sources;
  const ofRank = (here: Rank): Layer[] =>
    context === undefined || rank !== here
      ? []
      : [{rank: 'context', values: settingsOf(context, home), sourceOf: () => sourceOf(context, sources)}];
  return [
    {rank: 'flag', values: flags, sourceOf: (name) => FLAGS[name]},
    ...ofRank('flag'),
    {rank: 'variable', values: variables, sourceOf: (name) => variableOf(name, variables)},
    ...ofRank('variable'),
    ...(project === undefined
      ? []
      : [
          {
            rank: 'project' as const,
            values: {stream: project.stream, group: project.group},
            sourceOf: () => shortPath(project.file, home),
          },
        ]),
    ...ofRank('file'),
  ];
}

const FLAGS: Record<keyof Settings, string> = {
  stream: '--stream',
  group: '--group',
  username: '--username',
  password: '--password-file',
  sentinelUsername: '--sentinel-username',
  sentinelPassword: '--sentinel-password-file',
  cacert: '--cacert',
  cert: '--cert',
  key: '--key',
  sni: '--sni',
  mapAddress: '--map-address',
};

function variableOf(name: keyof Settings, variables: Settings): string {
  const value = variables[name];
  const ofFile = typeof value === 'object' && 'file' in value ? '_FILE' : '';
  return `STREAMLOG_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}${ofFile}`;
}

/** Paths of a context are relative to its file. */
function settingsOf(context: Context, home: string | undefined): Settings {
  const pathOf = (path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    return home !== undefined && path.startsWith('~/')
      ? join(home, path.slice(2))
      : resolve(dirname(context.file), path);
  };
  const fileOf = (path: string | undefined): Secret | undefined =>
    path === undefined ? undefined : {file: pathOf(path)!};
  const {username, stream, group, sni} = context;
  return {
    ...{username, stream, group, sni},
    password:
      context.password_command === undefined ? fileOf(context.password_file) : {command: context.password_command},
    sentinelUsername: context.sentinel_username,
    sentinelPassword: fileOf(context.sentinel_password_file),
    cacert: pathOf(context.cacert),
    cert: pathOf(context.cert),
    key: pathOf(context.key),
    mapAddress: context.map_address,
  };
}

/** Whether commands that write say on a terminal where they write. */
export const isProduction = ({production, readonly, color}: Context): boolean =>
  production ?? (readonly === true || color === 'red');
