/** What is looked at of a group by its own figures. Invariant: what is not known is no finding. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import type {GroupFacts} from '../observe/snapshot.js';
import {counted} from '../output/sentences.js';
import {compareStreamIds, FIRST_ID, successorOf} from '../records/stream-id.js';
import {isBeyondEnd} from '../reports/beyond-end.js';
import {groupWords, streamWords} from './commands.js';
import {dead, leaked, stalled, workerCommand} from './consumers.js';
import type {Check, Examination, GroupSubject} from './examination.js';
import type {Sighting} from './finding.js';
import {pendingEntries} from './pending-checks.js';
import {LIMITS} from './stream-findings.js';

type GroupCheck = Check<GroupSubject>;

const ahead: GroupCheck = {
  ids: ['D11'],
  run(subject, {nowMs, commands}) {
    const {stream, group} = subject;
    const {lastGeneratedId} = stream;
    if (lastGeneratedId === null || !isBeyondEnd({lastGeneratedId}, group.lastDeliveredId, nowMs)) return [];
    return [
      {
        id: 'D11',
        seen: {lastDeliveredId: group.lastDeliveredId, lastGeneratedId},
        what: `it was given ${group.lastDeliveredId}, and the stream has come to ${lastGeneratedId}`,
        why: 'It never gets the entries up to there. So it is after data was restored without its groups, or groups without their data.',
        look: [commands.streamlog('group', 'list', ...streamWords(stream.stream))],
        mend: [commands.streamlog('group', 'seek', ...groupWords(subject), '--to', 'end')],
      },
    ];
  },
};

const counters: GroupCheck = {
  ids: ['D12'],
  async run(subject, examination) {
    const claimed = claimedLag(subject);
    if (claimed === undefined || !isImpossible(claimed, subject)) return [];
    if (!(await isStillSo(subject, examination))) return [];
    const {stream, group} = subject;
    const next = successorOf(group.lastDeliveredId);
    return [
      {
        id: 'D12',
        seen: {
          entriesRead: group.entriesRead,
          entriesAdded: stream.entriesAdded,
          length: stream.length,
          lagOfRedis: claimed,
          lag: group.lag,
        },
        what: `Redis counts ${withCommas(group.entriesRead!)} entries read of ${withCommas(stream.entriesAdded!)} added, a lag of ${withCommas(claimed)}; it is ${group.lagExact ? '' : 'about '}${withCommas(group.lag ?? 0)}`,
        why: 'The lag that XINFO GROUPS shows is wrong, and so is what is scaled or alarmed by it.',
        look: [examination.commands.streamlog('info', ...streamWords(stream.stream))],
        mend:
          next === undefined
            ? []
            : [examination.commands.streamlog('group', 'seek', ...groupWords(subject), '--to', next)],
      },
    ];
  },
};

/** What the counters would have the lag be; undefined where they say nothing. */
const claimedLag = ({stream, group}: GroupSubject): number | undefined =>
  stream.entriesAdded === null || group.entriesRead === null ? undefined : stream.entriesAdded - group.entriesRead;

function isImpossible(claimed: number, {stream, group}: GroupSubject): boolean {
  if (claimed < 0) return true;
  const {lagAtLeast, lagAtMost, lastDeliveredId} = group;
  const {maxDeletedId, firstId} = stream;
  if (lagAtLeast === null || lagAtMost === null || maxDeletedId === null || firstId === null) return false;
  // What a trim or XDEL took from behind the group counts as not read.
  const allThere =
    compareStreamIds(maxDeletedId, lastDeliveredId) <= 0 && compareStreamIds(firstId, lastDeliveredId) <= 0;
  return allThere && (claimed < lagAtLeast || claimed > lagAtMost);
}

/** While entries come and go, two commands do not see the same: the counters are read again, the greater one last. */
async function isStillSo(subject: GroupSubject, {client}: Examination): Promise<boolean> {
  const {stream, group} = subject;
  const now = await client.group(stream.stream, group.group);
  const info = await client.info(stream.stream);
  if (now.entriesRead !== undefined && info.entriesAdded !== undefined && now.entriesRead > info.entriesAdded)
    return true;
  return (
    now.lastDeliveredId === group.lastDeliveredId &&
    now.entriesRead === group.entriesRead &&
    info.lastGeneratedId === stream.lastGeneratedId &&
    info.length === stream.length &&
    info.entriesAdded === stream.entriesAdded
  );
}

const trimmedUnread: GroupCheck = {
  ids: ['D13'],
  run(subject, {commands}) {
    const {stream, group} = subject;
    const {entriesAdded, firstId, lastGeneratedId, maxDeletedId, length} = stream;
    // Once entries were deleted one by one, Redis may count too few as read (redis/redis#13957).
    if (maxDeletedId !== FIRST_ID || entriesAdded === null || group.entriesRead === null || lastGeneratedId === null)
      return [];
    const isBehindTrim = compareStreamIds(group.lastDeliveredId, firstId ?? lastGeneratedId) < 0;
    const missed = entriesAdded - length - group.entriesRead;
    if (!isBehindTrim || missed <= 0) return [];
    return [
      {
        id: 'D13',
        seen: {trimmedUnread: missed, entriesRead: group.entriesRead, entriesAdded, firstId},
        what: `${counted(missed, 'entry')} went before it had read them`,
        why: 'They are gone. Trim with --safe, which keeps what a group has not read; seeking to the start has Redis count on from there.',
        look: [commands.streamlog('info', ...streamWords(stream.stream))],
        mend: [commands.streamlog('group', 'seek', ...groupWords(subject), '--to', 'start')],
      },
    ];
  },
};

const neverRead: GroupCheck = {
  ids: ['D17'],
  run(subject, examination): readonly Sighting[] {
    const {group, stream} = subject;
    const {consumers, pending, entriesRead, lastDeliveredId, behindMs, lag} = group;
    const hasRead = consumers > 0 || pending > 0 || (lastDeliveredId !== FIRST_ID && entriesRead !== 0);
    if (hasRead || behindMs === null || behindMs <= LIMITS.neverReadMs || !examination.hasTimes(stream)) return [];
    const {commands} = examination;
    return [
      {
        id: 'D17',
        seen: {lag, behindMs, lastDeliveredId},
        what: `it has no consumer and has read nothing; the oldest of ${counted(lag ?? stream.length, 'entry')} came ${formatDuration(behindMs)} ago`,
        why: 'If nothing is to read it, it only keeps trim --safe from removing anything.',
        look: [commands.streamlog('group', 'list', ...streamWords(stream.stream))],
        mend: [commands.streamlog('group', 'remove', ...groupWords(subject), '--force')],
      },
    ];
  },
};

const heldBack: GroupCheck = {
  ids: ['D08'],
  run(subject, examination) {
    const {stream, group} = subject;
    const neededMs = neededSinceMs(group);
    const others = (stream.groups ?? []).filter((other) => other !== group);
    const isDraining = group.trend === 'draining' && group.drainMs !== null && group.drainMs < LIMITS.drainMs;
    if (neededMs <= LIMITS.heldBackMs || isDraining || !examination.hasTimes(stream)) return [];
    if (others.some((other) => neededSinceMs(other) > LIMITS.heldBackMs)) return [];
    const {commands} = examination;
    const {behindMs, oldestPendingId} = group;
    return [
      {
        id: 'D08',
        seen: {neededMs, behindMs, oldestPendingId, lag: group.lag, pending: group.pending},
        what: `it alone needs entries of up to ${formatDuration(neededMs)} ago`,
        why: 'trim --safe removes nothing behind them, whatever the other groups have done.',
        look: [commands.streamlog('trim', ...streamWords(stream.stream), '--max-age', '1d', '--safe', '--dry-run')],
        mend: [
          workerCommand(subject, examination),
          ...(group.pending > 0
            ? []
            : [
                {
                  ...commands.streamlog('group', 'seek', ...groupWords(subject), '--to', 'end'),
                  about: 'where it does not need what it has not read',
                },
              ]),
        ],
      },
    ];
  },
};

/** The age of the oldest entry that it has not read, or not acknowledged; 0 where that is not known. */
const neededSinceMs = ({behindMs, oldestPendingAgeMs}: GroupFacts): number =>
  Math.max(behindMs ?? 0, oldestPendingAgeMs ?? 0);

export const GROUP_CHECKS: readonly GroupCheck[] = [
  pendingEntries,
  dead,
  leaked,
  stalled,
  heldBack,
  ahead,
  counters,
  trimmedUnread,
  neverRead,
];
