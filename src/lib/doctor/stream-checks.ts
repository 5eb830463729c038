/** What is looked at of a stream itself. Invariant: what is not known is no finding. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {counted} from '../output/sentences.js';
import {millisecondsOf} from '../records/stream-id.js';
import {formatSize} from '../size.js';
import {type Command, streamWords} from './commands.js';
import type {Check, Examination, StreamSubject} from './examination.js';
import type {Sighting} from './finding.js';
import {LIMITS} from './stream-findings.js';

type StreamCheck = Check<StreamSubject>;

/** More than this is a lot to keep for those who read it a day later. */
const KEPT_MS = 7 * 86_400_000;

const noCap: StreamCheck = {
  ids: ['D07'],
  run({stream}, examination) {
    const {length, entriesAdded, maxDeletedId, firstAgeMs, firstId} = stream;
    if (length <= LIMITS.longLength) return [];
    if (entriesAdded === null || firstAgeMs === null || firstId === null) {
      examination.omit(['D07'], 'the server does not say whether entries were ever removed');
      return [];
    }
    const isOld = firstAgeMs > LIMITS.firstEntryMs && examination.hasTimes(stream);
    if (entriesAdded !== length || maxDeletedId !== '0-0' || !isOld) return [];
    const goal = firstAgeMs > KEPT_MS ? ['--max-age', '7d'] : ['--maxlen', String(LIMITS.longLength)];
    const {commands} = examination;
    return [
      {
        id: 'D07',
        seen: {entries: length, firstId, firstAgeMs},
        what: `${withCommas(length)} entries since ${formatDuration(firstAgeMs)} ago, and none was ever removed`,
        why: 'It grows until memory is full. Trim it regularly, or add with produce --maxlen.',
        look: [commands.streamlog('info', ...streamWords(stream.stream))],
        mend: [commands.streamlog('trim', ...streamWords(stream.stream), ...goal, '--safe')],
      },
    ];
  },
};

const memory: StreamCheck = {
  ids: ['D09', 'D10'],
  run({stream}, examination) {
    const {bytes, bytesPerEntry, length} = stream;
    const {memoryBytes} = examination.snapshot.server;
    if (bytes === null) {
      if (length > 0) examination.omit(['D09', 'D10'], 'the memory of a stream is not known');
      return [];
    }
    const {commands} = examination;
    const words = streamWords(stream.stream);
    const trimmed = (maxBytes: number): Command => ({
      ...commands.streamlog('trim', ...words, '--max-bytes', String(maxBytes), '--safe'),
      about: `to keep the newest ${formatSize(maxBytes)}, and what a group still needs`,
    });
    const look = [commands.streamlog('info', ...words)];
    if (bytesPerEntry !== null && bytesPerEntry > LIMITS.entryBytes && bytes > LIMITS.largeEntriesBytes)
      return [
        {
          id: 'D09',
          seen: {bytes, bytesPerEntry, entries: length},
          what: `${counted(length, 'entry')} of ${formatSize(bytesPerEntry)} on average take ${formatSize(bytes)}`,
          why: 'Each read copies them, and MAXLEN says nothing about their memory. Keep large values elsewhere, or trim by size.',
          look,
          mend: [trimmed(LIMITS.largeEntriesBytes)],
        },
      ];
    if (bytes <= LIMITS.streamBytes) return [];
    if (memoryBytes === null || bytes <= memoryBytes * LIMITS.shareOfMemory) return [];
    const others = Math.max(0, memoryBytes - bytes);
    const fitting = (others * LIMITS.shareOfMemory) / (1 - LIMITS.shareOfMemory);
    return [
      {
        id: 'D10',
        seen: {bytes, memoryBytes, share: Number((bytes / memoryBytes).toFixed(3)), entries: length},
        what: `${formatSize(bytes)}, ${Math.min(100, Math.round((bytes / memoryBytes) * 100))}% of the memory in use, for ${counted(length, 'entry')}`,
        why: 'Groups that have read an entry do not free it: only a trim does.',
        look,
        mend: [trimmed(Math.max(LIMITS.streamBytes, Math.floor(fitting)))],
      },
    ];
  },
};

const futureIds: StreamCheck = {
  ids: ['D14'],
  run({stream}, {nowMs, commands}) {
    const {lastGeneratedId} = stream;
    const aheadMs = lastGeneratedId === null ? 0 : millisecondsOf(lastGeneratedId) - nowMs;
    if (lastGeneratedId === null || aheadMs <= LIMITS.aheadMs) return [];
    return [
      {
        id: 'D14',
        seen: {lastGeneratedId, aheadMs},
        what: `the last ID, ${lastGeneratedId}, is ${formatDuration(aheadMs)} ahead of the server's clock`,
        why: 'Until then new IDs only count up behind it, so they say nothing of when an entry was added, and ages and --max-age are wrong.',
        look: [commands.streamlog('range', ...streamWords(stream.stream), '--reverse', '-n', '1')],
        mend: [],
      },
    ];
  },
};

const deadLetters: StreamCheck = {
  ids: ['D15'],
  run({stream}, examination) {
    const {deadLetters: dead} = stream;
    if (dead === null) return omitted(examination);
    if (dead.length === 0 || (dead.newestAgeMs !== null && dead.newestAgeMs >= LIMITS.newestDeadLetterMs)) return [];
    const newest = dead.newestAgeMs === null ? '' : `, the newest ${formatDuration(dead.newestAgeMs)} ago`;
    const {commands} = examination;
    const words = streamWords(stream.stream);
    return [
      {
        id: 'D15',
        seen: {entries: dead.length, newestAgeMs: dead.newestAgeMs, deadLetters: dead.stream},
        what: `${counted(dead.length, 'dead letter')}${newest}`,
        why: 'They were given up and wait for a person.',
        look: [
          commands.streamlog('dlq', 'show', ...words),
          commands.streamlog('dlq', 'redrive', ...words, '--dry-run'),
        ],
        mend: [commands.streamlog('dlq', 'redrive', ...words)],
      },
    ];
  },
};

function omitted(examination: Examination): readonly Sighting[] {
  examination.omit(['D15'], 'the user may not read the dead letters');
  return [];
}

export const STREAM_CHECKS: readonly StreamCheck[] = [noCap, memory, futureIds, deadLetters];
