/** D28: commands in the slow log that are slow by nature, and what to send instead. Invariant: of their words only names of streams are shown. */
import {counted, listed} from '../output/sentences.js';
import type {SlowCommand} from '../stream-client.js';
import {printedName} from './commands.js';
import type {Sighting} from './finding.js';
import {SERVER_LIMITS} from './server-findings.js';
import {nodeFigure, onNode, redisCli, type ServerNode} from './server-node.js';

interface SlowKind {
  /** As it is shown. */
  command: string;
  /** Its name and subcommand, in upper case. */
  words: readonly string[];
  /** Whether its options make it slow. */
  isSlow(options: readonly string[]): boolean;
  /** For a command that takes keys of all types. */
  anyKey?: boolean;
  why: string;
}

/** Entries up to which one reply takes Redis some milliseconds at most. */
const MOST_AT_ONCE = 1_000;

const has = (options: readonly string[], name: string): boolean =>
  options.some((option) => option.toUpperCase() === name);
const asksForMany = (options: readonly string[]): boolean => {
  const at = options.findLastIndex((option) => option.toUpperCase() === 'COUNT');
  return at === -1 || Number(options[at + 1]) > MOST_AT_ONCE;
};

const TOO_MANY = 'Redis copies all entries of a reply at once: give a COUNT of at most 1000.';

const KINDS: readonly SlowKind[] = [
  {
    command: 'XINFO STREAM … FULL',
    words: ['XINFO', 'STREAM'],
    isSlow: (options) => has(options, 'FULL'),
    why: 'It goes through all consumers of all groups: XINFO STREAM without FULL does not, nor does streamlog info.',
  },
  {
    command: 'XPENDING … IDLE',
    words: ['XPENDING'],
    isSlow: ([, ...options]) => options[0]?.toUpperCase() === 'IDLE' || Number(options[2]) > MOST_AT_ONCE,
    why: 'It goes through all pending entries: streamlog pending --idle reads them in pages.',
  },
  {command: 'XRANGE', words: ['XRANGE'], isSlow: asksForMany, why: TOO_MANY},
  {command: 'XREVRANGE', words: ['XREVRANGE'], isSlow: asksForMany, why: TOO_MANY},
  {command: 'XREAD', words: ['XREAD'], isSlow: (options) => asksForMany(beforeStreams(options)), why: TOO_MANY},
  {
    command: 'XREADGROUP',
    words: ['XREADGROUP'],
    isSlow: (options) => asksForMany(beforeStreams(options)),
    why: TOO_MANY,
  },
  {
    command: 'XAUTOCLAIM',
    words: ['XAUTOCLAIM'],
    isSlow: (options) => has(options, 'COUNT') && asksForMany(options),
    why: TOO_MANY,
  },
  {
    command: 'XTRIM',
    words: ['XTRIM'],
    isSlow: (options) => !has(options, 'LIMIT'),
    why: 'It removes as many entries as there are: streamlog trim removes them in steps.',
  },
  {
    command: 'COPY',
    words: ['COPY'],
    isSlow: () => true,
    anyKey: true,
    why: 'It copies a stream in one step.',
  },
  {
    command: 'DUMP',
    words: ['DUMP'],
    isSlow: () => true,
    anyKey: true,
    why: 'It reads a stream in one step: streamlog export reads it in pages.',
  },
];

const beforeStreams = (options: readonly string[]): readonly string[] => {
  const at = options.findIndex((option) => option.toUpperCase() === 'STREAMS');
  return at === -1 ? options : options.slice(0, at);
};

/** `isStream` says whether a key is known to be a stream. */
export function slowCommands(
  node: Pick<ServerNode, 'node' | 'commands'>,
  log: readonly SlowCommand[],
  nowMs: number,
  isStream: (key: string) => boolean,
): Sighting[] {
  const {slowMs, slowWithinMs} = SERVER_LIMITS;
  const recent = log.filter(({atMs, tookMs}) => tookMs > slowMs && nowMs - atMs <= slowWithinMs);
  return KINDS.flatMap((kind) => {
    const seen = recent.filter(({words}) => isOf(kind, words, isStream));
    if (seen.length === 0) return [];
    const slowestMs = Math.max(...seen.map(({tookMs}) => tookMs));
    const streams = [...new Set(seen.flatMap(({words}) => keysOf(kind, words)))].map(printedName);
    return [
      {
        id: 'D28',
        seen: {...nodeFigure(node), command: kind.command, times: seen.length, slowestMs, streams},
        what: `${kind.command} took up to ${Math.round(slowestMs)} ms, ${counted(seen.length, 'time')} in the last day${streams.length === 0 ? '' : `, of ${listed(streams)}`}${onNode(node)}`,
        why: `Redis serves nobody else meanwhile. ${kind.why}`,
        look: [redisCli(node, 'SLOWLOG', 'GET', '128')],
        mend: [],
      },
    ];
  });
}

function isOf(kind: SlowKind, words: readonly string[], isStream: (key: string) => boolean): boolean {
  if (!kind.words.every((word, at) => words[at]?.toUpperCase() === word)) return false;
  if (kind.anyKey && !keysOf(kind, words).every(isStream)) return false;
  // Behind the name of the stream, where there is one.
  return kind.isSlow(words.slice(kind.words.length + (READS.has(kind.command) ? 0 : 1)));
}

const READS = new Set(['XREAD', 'XREADGROUP']);

/** The names of streams in a command; none where Redis has cut its words short. */
function keysOf(kind: SlowKind, words: readonly string[]): string[] {
  if (!READS.has(kind.command)) return words.slice(kind.words.length, kind.words.length + 1);
  const at = words.findIndex((word) => word.toUpperCase() === 'STREAMS');
  const behind = at === -1 ? [] : words.slice(at + 1);
  return behind.slice(0, Math.floor(behind.length / 2));
}
