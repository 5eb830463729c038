/**
 * The consumers of a group: which are at work, and which are not any more. Invariant: they are asked for once, and only where there are
 * few enough of them for Redis not to be held up.
 */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {counted, listed} from '../output/sentences.js';
import {MOST_CONSUMERS_LISTED_OFTEN} from '../reports/measurable.js';
import type {ConsumerInfo} from '../stream-client.js';
import {type Command, groupWords, nameWords, printedName} from './commands.js';
import type {Check, Examination, GroupSubject} from './examination.js';
import type {FindingId} from './finding-kinds.js';
import {LIMITS} from './stream-findings.js';

/** XINFO CONSUMERS; undefined where that is not known, which is noted for `ids`. */
async function consumersOf(
  subject: GroupSubject,
  examination: Examination,
  ids: readonly FindingId[],
): Promise<readonly ConsumerInfo[] | undefined> {
  const {stream, group} = subject;
  if (group.consumers === 0) return [];
  if (group.consumers > MOST_CONSUMERS_LISTED_OFTEN) {
    examination.omit(
      ids,
      `a group has more than ${withCommas(MOST_CONSUMERS_LISTED_OFTEN)} consumers, and to list them would hold Redis up`,
    );
    return undefined;
  }
  return examination.once(group, () =>
    examination.unlessRefused(ids, examination.client.consumers(stream.stream, group.group)),
  );
}

/** It tried to read a moment ago. */
const isLive = ({idleMs}: ConsumerInfo): boolean => idleMs < LIMITS.unseenMs;

/** The consumer at work that has the least pending and is none of `others`; undefined where there is none. */
export async function nextOwner(
  subject: GroupSubject,
  examination: Examination,
  others: ReadonlySet<string>,
): Promise<string | undefined> {
  const consumers = (await consumersOf(subject, examination, [])) ?? [];
  const able = consumers.filter((consumer) => isLive(consumer) && !others.has(consumer.name));
  return able.toSorted((one, other) => one.pending - other.pending)[0]?.name;
}

/** What works off what has been pending for a minute, and what is unread, and ends then. */
export const workerCommand = (subject: GroupSubject, {commands}: Examination, ...flags: string[]): Command =>
  commands.streamlog('consume', ...groupWords(subject), ...flags, '--exit', '--exec', './worker');

/** Pending with consumers that are not there any more. */
export const dead: Check<GroupSubject> = {
  ids: ['D02'],
  async run(subject, examination) {
    if (subject.group.pending === 0) return [];
    const consumers = await consumersOf(subject, examination, ['D02']);
    const gone = consumers?.filter(({pending, idleMs}) => pending > 0 && idleMs > LIMITS.deadConsumerMs) ?? [];
    if (gone.length === 0) return [];
    const {commands} = examination;
    const entries = gone.reduce((sum, {pending}) => sum + pending, 0);
    const idleMs = Math.max(...gone.map((consumer) => consumer.idleMs));
    const heir = await nextOwner(subject, examination, new Set(gone.map(({name}) => name)));
    const idle = formatDuration(LIMITS.deadConsumerMs);
    return [
      {
        id: 'D02',
        seen: {
          consumers: gone.slice(0, MOST_NAMED).map(({name}) => name),
          consumerCount: gone.length,
          pending: entries,
          idleMs,
        },
        what: `${counted(entries, 'pending entry')} with ${listed(gone.map(({name}) => printedName(name)))}, last seen up to ${formatDuration(idleMs)} ago`,
        why: 'They wait for a consumer that is likely never to come back.',
        look: [commands.streamlog('group', 'consumers', ...groupWords(subject))],
        mend: [
          ...(heir === undefined
            ? []
            : [commands.streamlog('group', 'gc', ...groupWords(subject), '--idle', idle, ...nameWords('to', heir))]),
          workerCommand(subject, examination),
        ],
      },
    ];
  },
};

/** Names in a finding. */
const MOST_NAMED = 20;

export const leaked: Check<GroupSubject> = {
  ids: ['D03'],
  async run(subject, examination) {
    const {consumers: count, pending} = subject.group;
    if (count <= LIMITS.leakedConsumers) return [];
    const idle = formatDuration(LIMITS.leakedConsumerMs);
    const free = await leakedAmong(subject, examination);
    if (free.count <= LIMITS.leakedConsumers) return [];
    const {commands} = examination;
    return [
      {
        id: 'D03',
        seen: {consumers: count, withoutPending: free.count, exact: free.isExact, pending},
        what: free.isExact
          ? `${withCommas(free.count)} of ${withCommas(count)} consumers have nothing pending and were not seen for ${idle}`
          : `${withCommas(count)} consumers, of which at least ${withCommas(free.count)} have nothing pending; they are too many to ask when they were seen`,
        why: 'Each process that starts under a new name leaves one behind; they take memory, and time whenever consumers are listed.',
        look: [commands.streamlog('group', 'gc', ...groupWords(subject), '--idle', idle, '--dry-run')],
        mend: [commands.streamlog('group', 'gc', ...groupWords(subject), '--idle', idle)],
      },
    ];
  },
};

/** A pending entry has one consumer, so at least the difference has none. */
async function leakedAmong(
  subject: GroupSubject,
  examination: Examination,
): Promise<{count: number; isExact: boolean}> {
  const {consumers: count, pending} = subject.group;
  if (count > MOST_CONSUMERS_LISTED_OFTEN) return {count: count - pending, isExact: false};
  const all = (await consumersOf(subject, examination, ['D03'])) ?? [];
  const free = all.filter((one) => one.pending === 0 && one.idleMs > LIMITS.leakedConsumerMs);
  return {count: free.length, isExact: true};
}

/** It was seen, or has been busy with an entry for a while. */
const isAtWork = ({idleMs, pending}: ConsumerInfo): boolean =>
  idleMs <= LIMITS.unseenMs || (pending > 0 && idleMs <= LIMITS.stuckIdleMs);

export const stalled: Check<GroupSubject> = {
  ids: ['D04'],
  async run(subject, examination) {
    const {group, groupBefore} = subject;
    const {lag, lagExact, lagAtLeast, lastDeliveredId} = group;
    const behindMs = examination.hasTimes(subject.stream) ? group.behindMs : null;
    // Where there is no age, a consumer that has gone shows that it is not just new.
    const isOld = behindMs === null ? group.consumers > 0 : behindMs > LIMITS.unseenMs;
    const waits = lagAtLeast !== null && lagAtLeast > 0 && isOld;
    if (!waits || groupBefore?.lastDeliveredId !== lastDeliveredId) return [];
    const consumers = await consumersOf(subject, examination, ['D04']);
    if (consumers === undefined || consumers.some(isAtWork)) return [];
    const seenMs = consumers.length === 0 ? null : Math.min(...consumers.map(({idleMs}) => idleMs));
    const since = behindMs === null ? '' : `, the oldest since ${formatDuration(behindMs)}`;
    const last = seenMs === null ? 'it has no consumer' : `no consumer was seen for ${formatDuration(seenMs)}`;
    const {commands} = examination;
    return [
      {
        id: 'D04',
        seen: {lag, lagExact, behindMs, consumers: group.consumers, lastSeenMs: seenMs, lastDeliveredId},
        what: `${lagExact ? '' : 'about '}${counted(lag ?? lagAtLeast, 'entry')} not delivered${since}; ${last}`,
        why: 'Nothing is processed, and trim --safe keeps all of it.',
        look: [commands.streamlog('group', 'consumers', ...groupWords(subject))],
        mend: [
          workerCommand(subject, examination),
          {
            ...commands.streamlog('group', 'remove', ...groupWords(subject), '--force'),
            about: 'where nothing needs the group any more',
          },
        ],
      },
    ];
  },
};
