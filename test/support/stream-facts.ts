/** All that Redis says of a stream (XINFO STREAM … FULL), but how it keeps it and when consumers were seen last. */
import type {Redis} from 'ioredis';

/** Names are Latin-1, so that each byte is a character. Counts are digits where a number may not hold them. */
export interface FullInfo extends Record<string, unknown> {
  length: number;
  'last-generated-id': string;
  'entries-added': number | string;
  entries: [id: string, fields: string[]][];
  groups: FullGroup[];
}

export interface FullGroup {
  name: string;
  'last-delivered-id': string;
  'entries-read': number | string | null;
  lag?: number | string | null;
  /** Counts of deliveries are always digits. */
  pending: [id: string, consumer: string, deliveredAt: number, deliveries: string][];
  consumers: string[];
}

type Value = Buffer | string | null | Value[];

/** How the server keeps it, and what other servers do not have. */
const LEFT_OUT = /^(radix-tree|idmp|pids|iids)/;

export async function fullInfo(redis: Redis, stream: string | Buffer): Promise<FullInfo> {
  const exact = redis.duplicate({stringNumbers: true});
  try {
    const reply = (await exact.callBuffer('XINFO', 'STREAM', stream, 'FULL', 'COUNT', '0')) as unknown as Value;
    const all = entriesOf(reply);
    const facts = Object.fromEntries(
      [...all].filter(([key]) => !LEFT_OUT.test(key)).map(([key, value]) => [key, plain(value)]),
    );
    return {
      ...facts,
      entries: (all.get('entries') as [Value, Value[]][]).map(([id, fields]) => [text(id), fields.map(text)]),
      groups: (all.get('groups') as Value[]).map(groupOf),
    } as FullInfo;
  } finally {
    exact.disconnect();
  }
}

function groupOf(reply: Value): FullGroup {
  const group = entriesOf(reply);
  const value = (key: string) => plain(group.get(key)!) as number | string | null;
  return {
    name: text(group.get('name')!),
    'last-delivered-id': text(group.get('last-delivered-id')!),
    'entries-read': value('entries-read'),
    lag: value('lag'),
    pending: (group.get('pending') as [Value, Value, Value, Value][]).map(([id, consumer, deliveredAt, deliveries]) => [
      text(id),
      text(consumer),
      Number(text(deliveredAt)),
      text(deliveries),
    ]),
    consumers: (group.get('consumers') as Value[]).map((consumer) => text(entriesOf(consumer).get('name')!)),
  };
}

const entriesOf = (reply: Value): Map<string, Value> => {
  const list = reply as Value[];
  return new Map(Array.from({length: list.length / 2}, (_, index) => [text(list[2 * index]!), list[2 * index + 1]!]));
};

const text = (value: Value): string => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value));

/** A number where the server gave one that a number holds. */
export function plain(value: Value): unknown {
  if (typeof value !== 'string') return Buffer.isBuffer(value) ? text(value) : value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
