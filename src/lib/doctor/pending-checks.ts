/** What is looked at of the pending entries of a group. Invariant: one scan of them serves all findings. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {counted, listed} from '../output/sentences.js';
import type {Entry} from '../records/entry.js';
import type {PendingEntry} from '../records/pending-entry.js';
import {Commands, groupWords, nameWords, printedName} from './commands.js';
import {nextOwner, workerCommand} from './consumers.js';
import type {Check, Examination, GroupSubject} from './examination.js';
import type {Sighting} from './finding.js';
import {PendingScan} from './pending-scan.js';
import {LIMITS} from './stream-findings.js';

/** IDs that are printed in a command. */
const MOST_TYPED = 10;

const PENDING_IDS = ['D01', 'D05', 'D06'] as const;

export const pendingEntries: Check<GroupSubject> = {
  ids: PENDING_IDS,
  async run(subject, examination) {
    const {stream, group} = subject;
    if (group.pending === 0) return [];
    const {client, options} = examination;
    const scan = await examination.unlessRefused(
      PENDING_IDS,
      examination.paced((pause) =>
        PendingScan.of(
          client,
          {stream, group: group.group},
          {...options, pause, onProgress: (looked) => examination.lookedAtPending(looked)},
        ),
      ),
    );
    if (scan === undefined) return [];
    if (!scan.looksForGhosts)
      examination.omit(['D06'], 'entries are so large that looking for them would hold Redis up');
    return [
      ...(await stuck(subject, scan, examination)),
      ...(await poison(subject, scan, examination)),
      ...ghosts(subject, scan, examination),
    ];
  },
};

async function stuck(subject: GroupSubject, scan: PendingScan, examination: Examination): Promise<Sighting[]> {
  const {count, first, oldestIdleMs, consumers} = scan.stuck;
  if (count === 0) return [];
  const [oldest] = first;
  const {commands} = examination;
  const idle = formatDuration(LIMITS.stuckIdleMs);
  const list = commands.streamlog('pending', ...groupWords(subject), '--details', '--idle', idle);
  const heir = await nextOwner(subject, examination, consumers);
  const owners = [...consumers].map(printedName);
  return [
    {
      id: 'D01',
      seen: {
        ...atLeast('entries', count, isWhole(subject, scan)),
        oldestId: oldest!.id,
        oldestConsumer: oldest!.consumer,
        oldestIdleMs,
      },
      what: `${someOf(count, 'entry', isWhole(subject, scan))} with ${listed(owners)}, delivered up to ${formatDuration(oldestIdleMs)} ago and not acknowledged`,
      why: 'Whoever has them does not finish them, and nothing else takes them over.',
      look: [list],
      mend: [
        ...(heir === undefined
          ? []
          : [Commands.piped(list, commands.streamlog('claim', ...groupWords(subject), ...nameWords('to', heir)))]),
        workerCommand(subject, examination),
      ],
      ...(await withEntries(subject, first, examination)),
    },
  ];
}

async function poison(subject: GroupSubject, scan: PendingScan, examination: Examination): Promise<Sighting[]> {
  const {count, first, leastDeliveries, mostDeliveries, consumers} = scan.poison;
  if (count === 0) return [];
  const [oldest] = first;
  const {commands} = examination;
  const words = groupWords(subject);
  const most = String(LIMITS.deliveries);
  const [owner = ''] = consumers;
  // Its backlog comes first, whether or not it is still at work on it.
  const named = consumers.size === 1 && owner !== '' ? nameWords('name', owner) : [];
  const times =
    leastDeliveries === mostDeliveries
      ? withCommas(mostDeliveries)
      : `${withCommas(leastDeliveries)} to ${withCommas(mostDeliveries)}`;
  const since = oldest!.givenBack ? '' : `, ${formatDuration(oldest!.idleMs)} ago`;
  return [
    {
      id: 'D05',
      seen: {
        ...atLeast('entries', count, isWhole(subject, scan)),
        maxDeliveries: mostDeliveries,
        minDeliveries: leastDeliveries,
        oldestId: oldest!.id,
        oldestConsumer: oldest!.consumer === '' ? null : oldest!.consumer,
        oldestIdleMs: oldest!.givenBack ? null : oldest!.idleMs,
      },
      what: `${someOf(count, 'entry', isWhole(subject, scan))} delivered ${times} times, the first ${oldest!.id} (${oldest!.consumer === '' ? 'given back' : printedName(oldest!.consumer)}${since})`,
      why: 'They are retried for ever and hold up the rest. With --max-deliver they become dead letters.',
      look: [commands.streamlog('pending', ...words, '--details', '--min-deliveries', most, '--payload')],
      mend: [workerCommand(subject, examination, ...named, '--max-deliver', most)],
      ...(await withEntries(subject, first, examination)),
    },
  ];
}

function ghosts(subject: GroupSubject, scan: PendingScan, {commands, options}: Examination): Sighting[] {
  const {count, ids} = scan.ghosts;
  if (count === 0) return [];
  const words = groupWords(subject);
  const deep = options.isDeep ? ['--deep'] : [];
  const again = commands.streamlog('doctor', ...words, ...deep, '--only', 'D06', '--json');
  const acknowledge = commands.streamlog('ack', ...words);
  return [
    {
      id: 'D06',
      seen: {...atLeast('entries', count, isWhole(subject, scan)), ids},
      what: `${someOf(count, 'pending entry', isWhole(subject, scan))} no longer in the stream, such as ${listed(ids.slice(0, 2))}`,
      why: 'They were trimmed or deleted, so they can only be acknowledged. Until then they count as pending.',
      look: [commands.streamlog('pending', ...words)],
      mend: [
        count <= MOST_TYPED
          ? commands.streamlog('ack', ...words, ...ids)
          : Commands.piped(again, Commands.piped({words: ['jq', '-r', "'.seen.ids[]'"]}, acknowledge)),
      ],
    },
  ];
}

const isWhole = ({group}: GroupSubject, {looked}: PendingScan): boolean => looked >= group.pending;

/** A count of the first entries is a bound where there are more. */
const atLeast = (name: string, count: number, exact: boolean) => ({[name]: count, exact});

const someOf = (count: number, one: string, exact: boolean): string =>
  `${exact ? '' : 'at least '}${counted(count, one)}`;

/** The entries themselves, where payloads are asked for. */
async function withEntries(
  {stream}: GroupSubject,
  pending: readonly PendingEntry[],
  {client, options}: Examination,
): Promise<{entries?: readonly Entry[]}> {
  if (!options.withPayload) return {};
  const found: Entry[] = [];
  for (const {id} of pending) for await (const page of client.range(stream.stream, id, id, 1)) found.push(...page);
  return {entries: found};
}
