/**
 * What a real server holds of a stream, its group and its dead letters, read in
 * one transaction so that it is the state of one moment, workers or not. Judges nothing.
 */
import type {Redis} from 'ioredis';
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import type {Ending, GroupEnding} from './history.js';

export interface CollectOptions {
  /** The stream of dead letters; default: `{STREAM}:dead`. */
  deadLetter?: string;
  /** The field that holds the value. */
  field?: string;
  /** Where the group began; see `GroupEnding`. */
  beganAfter?: string;
}

type RawEntry = [id: string, fields: string[]];
type RawPending = [id: string, consumer: string, idleMs: number, deliveries: number];

/** Reads `stream`, and `group` where there is one. Entries without the field have the value `no FIELD in ID`. */
export async function collect(
  redis: Redis,
  stream: string,
  group?: string,
  {deadLetter = `{${stream}}:dead`, field = 'value', beganAfter}: CollectOptions = {},
): Promise<Ending> {
  const transaction = redis.multi().xrange(stream, '-', '+').xrange(deadLetter, '-', '+').xinfo('GROUPS', stream);
  // Without a group this is an error, and xinfo says that there is none.
  if (group !== undefined) transaction.xpending(stream, group, '-', '+', Number.MAX_SAFE_INTEGER);
  const [entries, letters, groups, pending] = (await transaction.exec()) ?? [];
  const valueIn = ([id, fields]: RawEntry): string => fieldOf(fields, field) ?? `no ${field} in ${id}`;
  const isOurs = ([, fields]: RawEntry): boolean =>
    fieldOf(fields, '_dlq_stream') === stream && fieldOf(fields, '_dlq_group') === group;
  const lastDeliveredId = lastDeliveredOf(groups?.[1], group);
  return {
    stream: (replyOf(entries) as RawEntry[]).map((entry) => ({id: entry[0], value: valueIn(entry)})),
    group:
      lastDeliveredId === undefined
        ? undefined
        : {lastDeliveredId, beganAfter, pending: (replyOf(pending) as RawPending[]).map(toPending)},
    dead: (replyOf(letters) as RawEntry[])
      .filter(isOurs)
      .map((entry) => ({id: fieldOf(entry[1], '_dlq_id') ?? '', value: valueIn(entry)})),
  };
}

/** The IDs that are acknowledged by now, for events of a history that is not over. */
export function acknowledgedIn({stream, group, dead}: Ending): string[] {
  if (group === undefined) return [];
  const {lastDeliveredId, beganAfter = '0-0', pending} = group;
  const elsewhere = new Set([...pending, ...dead].map(({id}) => id));
  const isRead = (id: string): boolean =>
    compareStreamIds(id, lastDeliveredId) <= 0 && compareStreamIds(id, beganAfter) > 0;
  return stream.map(({id}) => id).filter((id) => isRead(id) && !elsewhere.has(id));
}

const toPending = ([id, consumer, , deliveries]: RawPending): GroupEnding['pending'][number] => ({
  id,
  consumer,
  deliveries,
});

function replyOf(result: [error: Error | null, reply: unknown] | undefined): unknown {
  if (result?.[0]) throw result[0];
  return result?.[1];
}

/** XINFO GROUPS is a list of flat lists of names and values; an error when there is no stream. */
function lastDeliveredOf(groups: unknown, group: string | undefined): string | undefined {
  if (!Array.isArray(groups)) return undefined;
  const found = (groups as string[][]).find((each) => fieldOf(each, 'name') === group);
  return found && fieldOf(found, 'last-delivered-id');
}

function fieldOf(flat: readonly string[], name: string): string | undefined {
  const at = flat.findIndex((each, index) => index % 2 === 0 && each === name);
  return at === -1 ? undefined : flat[at + 1];
}
