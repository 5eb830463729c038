/**
 * Completion by names that exist: `__complete KIND [--shell NAME] [--limit MS] -- PREFIX WORD…`. Invariants: it ends
 * within 300 ms of the start of the process and throws nothing; no password is asked for, and no program is started.
 */
import {statSync} from 'node:fs';
import {AnswerCache} from '../completion/answer-cache.js';
import {LOOK_UPS, type LookUp, liveNames, type Surroundings} from '../completion/live-names.js';
import {offered, readWord, SHELLS, type Shell} from '../completion/shell-words.js';
import {chooseServer, type Secret, type Settings, settingOf} from '../config/settings.js';
import type {FileReading} from '../input/whole-file.js';
import {nameFromText} from '../records/names.js';
import {unlessAborted} from '../waiting.js';
import type {CommandIndex} from './command-index.js';
import {loadConfig} from './configuration.js';
import {type ConnectionFlags, connectionSettings, sourcesOf} from './connection-settings.js';
import {cacheDirectory} from './environment.js';
import {signals} from './signals.js';
import {readTypedLine, type TypedLine} from './typed-line.js';

/** If the script asks for no other. */
export const LIMIT_MS = 300;
/** For the end of the process, which takes time too. */
const END_MS = 40;
/** How files are read. */
const SILENT: FileReading = {stopping: signals.signalled, warn: () => {}};

interface Request {
  kind: LookUp;
  shell: Shell;
  prefix: string;
  /** An open quote before the prefix. */
  quote: string;
  words: readonly string[];
  limitMs: number;
}

/** Undefined for what this version does not know, and for words that only a shell could expand. */
export function readRequest(argv: readonly string[]): Request | undefined {
  const start = argv.indexOf('--');
  const [kind, ...typed] = argv.slice(0, start);
  const options = new Map(typed.flatMap((word, at) => (at % 2 === 0 ? [[word, typed[at + 1] ?? '']] : [])));
  const {'--shell': named = 'fish', '--limit': limit = LIMIT_MS, ...others} = Object.fromEntries(options);
  const shell = SHELLS.find((one) => one === named);
  const isKnown = LOOK_UPS.some((one) => one === kind) && Object.keys(others).length === 0 && Number(limit) > 0;
  if (start < 0 || !isKnown || shell === undefined) return undefined;
  const [last, ...words] = argv.slice(start + 1).map((word) => readWord(shell, word));
  if (last === undefined || words.includes(undefined)) return undefined;
  return {
    kind: kind as LookUp,
    shell,
    prefix: last.text,
    quote: last.quote,
    words: words.map((word) => word!.text),
    limitMs: Number(limit),
  };
}

/** As the shell takes them, a line each. */
export async function candidates(request: Request, index: CommandIndex): Promise<string[]> {
  const leftMs = Math.floor(request.limitMs - END_MS - process.uptime() * 1000);
  if (leftMs <= 0) return [];
  const found = await unlessAborted(names(request, index), AbortSignal.timeout(leftMs)).catch(() => undefined);
  return (found ?? []).map((name) => offered(request.shell, name, request.quote)).filter((name) => name !== undefined);
}

async function names({kind, prefix, words, limitMs}: Request, index: CommandIndex): Promise<readonly string[]> {
  const config = await loadConfig(index, SILENT);
  if (kind === 'context') return [...(config?.contexts.keys() ?? [])].filter((name) => name.startsWith(prefix)).sort();
  const line = await readTypedLine(words, index);
  const flags = connectionFlags(line, Math.ceil(limitMs / 2));
  const sources = sourcesOf(flags, config);
  const choice = chooseServer(sources);
  const settingOfServer = <Name extends keyof Settings>(name: Name) => settingOf(name, sources, choice)?.value;
  const {stream, group, ids} = surroundings(line, settingOfServer('stream'), settingOfServer('group'));

  const cache = new AnswerCache(cacheDirectory(), [choice.url, settingOfServer('username')]);
  const about = JSON.stringify(kind === 'stream' ? [kind] : [kind, stream, group, ids]);
  const cached = cache.find(about, prefix, Date.now());
  if (cached !== undefined) return cached;
  for (const name of ['password', 'sentinelPassword'] as const) refuseWaiting(settingOfServer(name));
  for (const name of ['cacert', 'cert', 'key'] as const) refuseWaiting(settingOfServer(name));
  const {StreamClient} = await import('../stream-client.js');
  const client = await StreamClient.connect(await connectionSettings(flags, sources, choice, SILENT));
  const known = await liveNames(client, kind, prefix, {stream, group, ids}).finally(() => client.close());
  cache.keep(about, prefix, known, Date.now());
  return known.names;
}

function connectionFlags({flag}: TypedLine, connectMs: number): ConnectionFlags {
  const last = (name: string): string | undefined => flag(name).at(-1);
  return {
    url: last('url'),
    context: last('context'),
    username: last('username'),
    'password-file': last('password-file'),
    cacert: last('cacert'),
    cert: last('cert'),
    key: last('key'),
    sni: last('sni'),
    'sentinel-username': last('sentinel-username'),
    'sentinel-password-file': last('sentinel-password-file'),
    'map-address': flag('map-address').length === 0 ? undefined : [...flag('map-address')],
    trace: false,
    json: false,
    silence: connectMs,
    'connect-timeout': connectMs,
  };
}

/** Throws for a password that a program would print, and for a file that would be waited for, or be empty for the command. */
function refuseWaiting(secret: Secret | string | undefined): void {
  const file = typeof secret === 'object' && 'file' in secret ? secret.file : secret;
  if (typeof file === 'string' && !statSync(file).isFile()) throw new Error('not a file');
  if (typeof file === 'object' && 'command' in file) throw new Error('a command');
}

/** What the names are of: as the command would take it. */
function surroundings(
  {id = '', flag, positional, command}: TypedLine,
  stream = 'events',
  group = 'streamlog',
): Surroundings {
  const given = (name: string): string | undefined => {
    const text = flag(name).at(-1) ?? (command?.args[name] === undefined ? undefined : positional[0]);
    return text === undefined ? undefined : nameFromText(text);
  };
  return {
    stream: given('stream') ?? stream,
    group: given('group') ?? group,
    ids: id.startsWith('dlq:') ? 'dead' : /^(ack|nack|claim)$/.test(id) ? 'pending' : 'newest',
  };
}
