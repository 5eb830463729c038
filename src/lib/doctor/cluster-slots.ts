/** D18 and D19: how streams lie in the slots of a cluster. */
import {slotOf} from '../colocated-key.js';
import type {Name, StreamFacts} from '../observe/snapshot.js';
import {listed} from '../output/sentences.js';
import {type Commands, printedName} from './commands.js';
import type {Sighting} from './finding.js';
import {SERVER_LIMITS} from './server-findings.js';

/** D18. `apartMs` is the time between the two readings: more cannot have been added to a stream that was not there in the first. */
export function hotSlot(streams: readonly StreamFacts[], apartMs: number, commands: Commands): Sighting[] {
  const {hotSlotPercent, hotAddsPerSec} = SERVER_LIMITS;
  const slots = new Map<number, {names: Name[]; addedPerSec: number}>();
  let addedPerSec = 0;
  for (const {stream, entriesAdded, ...facts} of streams) {
    const rate = facts.addedPerSec ?? (entriesAdded === null ? null : (entriesAdded / apartMs) * 1_000);
    // Nothing is counted before Redis 7.0 (https://redis.io/docs/latest/commands/xinfo-stream/).
    if (rate === null) return [];
    addedPerSec += rate;
    if (rate === 0 || facts.addedPerSec === null) continue;
    const slot = slots.get(slotOf(stream)) ?? {names: [], addedPerSec: 0};
    slots.set(slotOf(stream), {names: [...slot.names, stream], addedPerSec: slot.addedPerSec + rate});
  }
  if (addedPerSec < hotAddsPerSec) return [];
  return Array.from(slots, ([slot, ofSlot]) => ({slot, ...ofSlot, percent: (ofSlot.addedPerSec / addedPerSec) * 100}))
    .filter(({percent}) => percent > hotSlotPercent)
    .map(({slot, names, percent, ...ofSlot}) => ({
      id: 'D18',
      seen: {
        slot,
        streams: names.map(printedName),
        addedPerSec: Math.round(ofSlot.addedPerSec),
        percent: Math.floor(percent),
      },
      what: `${Math.floor(percent)} % of all adds, ${Math.round(ofSlot.addedPerSec)} a second, go to slot ${slot} (${listed(names.map(printedName))})`,
      why: 'One master does the work of all. Names with different hash tags, such as {1}:orders and {2}:orders, spread it.',
      look: [commands.streamlog('top', '--once', '--sort', 'rate')],
      mend: [],
    }));
}

/** The dead letter stream that configuration gives to `consume`, and the streams it is for. */
export interface ConfiguredDeadLetter {
  deadLetter: Name;
  streams: readonly Name[];
  /** The line that says so. */
  at: string;
}

/** D19. The dead letter stream of each stream by default is in its slot. */
export const slotsApart = ({deadLetter, streams, at}: ConfiguredDeadLetter): Sighting[] =>
  streams
    .filter((stream) => slotOf(stream) !== slotOf(deadLetter))
    .map((stream) => ({
      id: 'D19',
      stream,
      seen: {deadLetter: printedName(deadLetter), slot: slotOf(stream), deadLetterSlot: slotOf(deadLetter), at},
      what: `its dead letter stream ${printedName(deadLetter)} is in another slot (${at})`,
      why: 'A dead letter is moved in one step, which a cluster refuses across slots, so it stays pending. Leave the line out, or give both names the same {hash tag}.',
      look: [],
      mend: [],
    }));
