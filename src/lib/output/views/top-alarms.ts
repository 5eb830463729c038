/** What in a snapshot needs a person, the worst first, a short sentence each. Invariant: an alarm is certain: a bound that may be 0 is none. */
import type {GroupFacts, Snapshot, StreamFacts} from '../../observe/snapshot.js';
import {cellsOf, cutEnd} from '../cell-width.js';
import {escapeForTerminal} from '../sanitize.js';
import {counted} from '../sentences.js';
import {ageText, deliveriesText, lagText, type TopDisplay} from './top-figures.js';

/** Deliveries after which an entry is likely never to be processed. */
export const MANY_DELIVERIES = 10;
/** Dead letters that came before are not news. */
const RECENT_MS = 600_000;

const WORST = {stalled: 5, growing: 4, poison: 3, dead: 2} as const;

interface Alarm {
  rank: number;
  /** How long it has been so, in milliseconds. */
  weight: number;
  text: string;
}

/** As many as fit in one line of `columns`, and how many more there are; empty for none. */
export function alarmLine({streams, skipped}: Pick<Snapshot, 'streams' | 'skipped'>, display: TopDisplay): string {
  const alarms = streams
    .flatMap((stream) => alarmsOf(stream, display))
    .sort((one, other) => other.rank - one.rank || other.weight - one.weight);
  const notes = skipped.filter(({reason}) => reason === 'denied' || reason === 'unanswered').map(skippedText);
  return fitting([...alarms.map(({text}) => `! ${text}`), ...notes.map((text) => `? ${text}`)], display.columns);
}

function alarmsOf(stream: StreamFacts, display: TopDisplay): Alarm[] {
  const {deadLetters, groups} = stream;
  const alarms = (groups ?? []).flatMap((group) => groupAlarms(stream, group, display));
  const newest = deadLetters?.newestAgeMs;
  if (deadLetters !== null && newest !== null && newest !== undefined && newest < RECENT_MS) {
    const letters = counted(deadLetters.length, 'dead letter');
    const text = `${escapeForTerminal(stream.stream)}: ${letters}, newest ${ageText(newest)} ago`;
    alarms.push({rank: WORST.dead, weight: deadLetters.length, text});
  }
  return alarms;
}

function groupAlarms({stream}: StreamFacts, group: GroupFacts, display: TopDisplay): Alarm[] {
  const {trend, behindMs, lagAtLeast, maxDeliveries} = group;
  const name = `${escapeForTerminal(stream)}/${escapeForTerminal(group.group)}`;
  const alarms: Alarm[] = [];
  const weight = behindMs ?? 0;
  if ((trend === 'stalled' || trend === 'growing') && lagAtLeast !== 0) {
    const age = behindMs === null ? '' : ` (${ageText(behindMs)})`;
    alarms.push({rank: WORST[trend], weight, text: `${name}: ${trend}, ${lagText(group, display)} behind${age}`});
  }
  if (maxDeliveries !== null && maxDeliveries >= MANY_DELIVERIES) {
    const text = `${name}: an entry was delivered ${deliveriesText(group, display)} times`;
    alarms.push({rank: WORST.poison, weight: Number(maxDeliveries), text});
  }
  return alarms;
}

const skippedText = ({streams, reason}: Snapshot['skipped'][number]): string =>
  `${counted(streams, 'stream')} ${reason === 'denied' ? 'may not be read' : 'did not answer'}`;

/** As many as there is room for, the first one always; there may be thousands. */
function fitting(texts: readonly string[], columns: number): string {
  let line = '';
  for (const [index, text] of texts.entries()) {
    const longer = index === 0 ? ` ${text}` : `${line}${GAP}${text}`;
    const left = texts.length - index - 1;
    const more = (count: number): string => (count === 0 ? '' : `${GAP}and ${count} more`);
    if (index > 0 && cellsOf(longer + more(left)) > columns) return cutEnd(line + more(left + 1), columns);
    line = longer;
  }
  return cutEnd(line, columns);
}

const GAP = '   ';
