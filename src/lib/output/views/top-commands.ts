/**
 * What to type about a stream or a group, for what is wrong with it. Invariants: each command means the same to a shell, whatever the
 * names are, and goes to the server that is looked at; none has a password.
 */
import type {GroupFacts, StreamFacts} from '../../observe/snapshot.js';
import {LONG_IDLE_MS} from '../../records/pending-entry.js';
import {flagWords, shellWord} from '../../shell-word.js';
import {cellsOf} from '../cell-width.js';
import {counted} from '../sentences.js';
import {MANY_DELIVERIES} from './top-alarms.js';
import {ageText} from './top-figures.js';

export interface Suggestion {
  /** What was seen, in a few words. */
  reason: string;
  /** Words of the shell, quoted. */
  words: readonly string[];
}

/** `server` are the words that say which server it is, not quoted yet. */
export function suggestions(
  stream: StreamFacts,
  group: GroupFacts | undefined,
  server: readonly string[],
): Suggestion[] {
  const command = (...words: string[]): string[] => ['streamlog', ...words, ...server.map(shellWord)];
  const ofStream = flagWords('stream', stream.stream, 's');
  const found: Suggestion[] = [];
  const add = (reason: string, ...words: string[]): void => void found.push({reason, words: command(...words)});
  if (group !== undefined) groupSuggestions(group, [...ofStream, ...flagWords('group', group.group, 'g')], add);
  const dead = stream.deadLetters?.length ?? 0;
  if (dead > 0) add(counted(dead, 'dead letter'), 'dlq', 'list', ...ofStream);
  if (stream.groups?.length === 0) add('no group reads it', 'tail', ...ofStream);
  if (found.length === 0) add('nothing is wrong; to see more', 'info', ...ofStream, '--consumers');
  return found;
}

type Add = (reason: string, ...words: string[]) => void;

function groupSuggestions(facts: GroupFacts, names: readonly string[], add: Add): void {
  const {trend, consumers, lagAtLeast, pending, oldestPendingIdleMs, maxDeliveries} = facts;
  const isBehind = lagAtLeast !== null && lagAtLeast > 0;
  const pendingDetails = ['pending', ...names, '--details'];
  if (isBehind && consumers === 0) add('no consumer reads it', 'consume', ...names);
  else if (isBehind && trend === 'stalled') add('nothing was delivered for a minute', 'group', 'consumers', ...names);
  else if (trend === 'growing') add('it reads too slowly; one consumer more', 'consume', ...names);
  if (maxDeliveries !== null && maxDeliveries >= MANY_DELIVERIES)
    add(
      'an entry is delivered again and again',
      ...pendingDetails,
      '--min-deliveries',
      String(MANY_DELIVERIES),
      '--payload',
    );
  if (pending > 0 && oldestPendingIdleMs !== null && oldestPendingIdleMs >= LONG_IDLE_MS)
    add(`pending for ${ageText(oldestPendingIdleMs)}; its consumer may be dead`, ...pendingDetails, '--idle', '1m');
}

/**
 * The lines of a command, broken between words as a shell takes it; undefined where a word is wider than a line, since what is cut
 * must not be copied.
 */
export function commandLines(words: readonly string[], columns: number): string[] | undefined {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of words) {
    const longer = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    if (cellsOf(longer) + CONTINUED.length <= columns) line = longer;
    else {
      if (cellsOf(INDENT + INDENT + word) + CONTINUED.length > columns) return undefined;
      lines.push(`${line}${CONTINUED}`);
      line = `${INDENT}${INDENT}${word}`;
    }
  }
  return [...lines, line];
}

const INDENT = '  ';
const CONTINUED = ' \\';
