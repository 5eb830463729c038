/**
 * Histories that are right, made by chance: a stream and a group in miniature,
 * with producers that repeat what was not answered, and workers that fail, are
 * killed and take over from each other. Invariant: nothing happens here that
 * at-least-once forbids, and `duplicates` counts what it allows.
 */
import type {Ending, HistoryEvent} from './history.js';
import type {SeededRandom} from './seed.js';

export interface History {
  events: HistoryEvent[];
  ending: Ending & {group: NonNullable<Ending['group']>};
  duplicates: {inStream: number; deliveries: number};
}

interface Pending {
  id: string;
  value: string;
  consumer: string;
  deliveries: number;
  /** With a handler; finished, but not acknowledged; or with nobody since a failure or a kill. */
  state: 'running' | 'finished' | 'left' | 'failed';
}

const MAX_DELIVERIES = 3;

/** What is right after `steps` steps, wherever that leaves the entries. */
export function goodHistory(random: SeededRandom, steps = 150): History {
  const events: HistoryEvent[] = [];
  const stream: {id: string; value: string}[] = [];
  const dead: {id: string; value: string}[] = [];
  const duplicates = {inStream: 0, deliveries: 0};
  let pending: Pending[] = [];
  let read = 0;
  let attempts = 0;

  const append = (value: string): string => {
    const id = `${1_700_000_000_000 + Math.floor(stream.length / 3)}-${stream.length % 3}`;
    stream.push({id, value});
    return id;
  };
  const handOver = (entry: Pending): void => {
    const {id, value, consumer: by, deliveries} = entry;
    events.push({what: 'delivered', id, value, by, deliveries});
    entry.state = 'running';
  };
  const consumer = (): string => random.pick(['w1', 'w2', 'w3']);
  const inState = (...states: Pending['state'][]): Pending | undefined => {
    const found = pending.filter(({state}) => states.includes(state));
    return found.length === 0 ? undefined : random.pick(found);
  };
  const acknowledge = (entry: Pending, isSeen: boolean): void => {
    pending = pending.filter((each) => each !== entry);
    if (isSeen) events.push({what: 'acknowledged', id: entry.id});
  };

  const produce = (): void => {
    const by = random.pick(['p1', 'p2']);
    attempts += 1;
    const value = `${by}-${attempts}`;
    events.push({what: 'attempted', value, by});
    const fate = random.integer(0, 9);
    if (fate === 0) return;
    if (fate === 1) append(value);
    if (fate <= 1 && random.chance(0.5)) return;
    if (fate === 1) duplicates.inStream += 1;
    events.push({what: 'confirmed', value, id: append(value)});
  };
  const readNext = (): void => {
    const next = stream[read];
    if (next === undefined) return;
    read += 1;
    const entry: Pending = {...next, consumer: consumer(), deliveries: 1, state: 'left'};
    pending.push(entry);
    if (!random.chance(0.1)) handOver(entry);
  };
  const end = (): void => {
    const entry = inState('running');
    if (entry === undefined) return;
    entry.state = random.pick(['finished', 'finished', 'finished', 'failed', 'left']);
    if (entry.state === 'finished') events.push({what: 'succeeded', id: entry.id});
    if (entry.state === 'failed') events.push({what: 'failed', id: entry.id});
  };
  const settle = (): void => {
    const entry = inState('finished');
    if (entry === undefined) return;
    if (random.chance(0.1)) entry.state = 'left';
    else acknowledge(entry, random.chance(0.5));
  };
  /** Someone takes an entry again, or over from one that is only slow. */
  const takeAgain = (): void => {
    const entry = inState('left', 'failed', ...(random.chance(0.2) ? (['running', 'finished'] as const) : []));
    if (entry === undefined) return;
    if (entry.deliveries >= MAX_DELIVERIES) {
      dead.push({id: entry.id, value: entry.value});
      acknowledge(entry, false);
      return;
    }
    const wasFinished = entry.state === 'finished';
    if (wasHandedOver(events, entry.id) && entry.state !== 'failed') duplicates.deliveries += 1;
    entry.consumer = consumer();
    entry.deliveries += 1;
    // The one who was slow acknowledges after the claim, before the claimed entry is handed over.
    if (wasFinished && random.chance(0.5)) acknowledge(entry, true);
    handOver(entry);
  };

  const moves = [produce, readNext, end, settle, takeAgain];
  for (let step = 0; step < steps; step += 1) random.pick(moves)();
  const lastDeliveredId = stream[read - 1]?.id ?? '0-0';
  return {events, ending: {stream, group: {lastDeliveredId, pending}, dead}, duplicates};
}

const wasHandedOver = (events: readonly HistoryEvent[], id: string): boolean =>
  events.some((event) => event.what === 'delivered' && event.id === id);
