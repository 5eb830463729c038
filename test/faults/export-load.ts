/**
 * A stream in use: a producer, three workers of a group that acknowledge most of what they get, and trims that keep what is
 * still needed. All that happens is noted with its time, so that an export can be held against what was true at its T0.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {expect} from 'vitest';
import {compareStreamIds} from '../../src/lib/records/stream-id.js';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const STREAM = 'orders';
const GROUP = 'g';
/** Between the clock of the server and ours, which is the same one, and rounding. */
const MARGIN_MS = 3;
/** From here on, entries are added slowly. */
const MOST_ADDED = 10_000;

/** When it was asked for, and when Redis had answered; on the clock of the machine. */
interface Noted {
  sentAtMs: number;
  doneAtMs: number;
}

export interface LoadedStream {
  readonly added: ReadonlyMap<string, Noted>;
  readonly delivered: ReadonlyMap<string, Noted>;
  readonly acknowledged: ReadonlyMap<string, Noted>;
  /** Resolves when more has happened of each. */
  goOn(): Promise<void>;
  end(): Promise<void>;
}

export async function startLoad(server: RedisServer): Promise<LoadedStream> {
  const added = new Map<string, Noted>();
  const delivered = new Map<string, Noted>();
  const acknowledged = new Map<string, Noted>();
  let isOver = false;
  const noted = async <T>(work: () => Promise<T>, note: (result: T, when: Noted) => void): Promise<T> => {
    const sentAtMs = Date.now();
    const result = await work();
    note(result, {sentAtMs, doneAtMs: Date.now()});
    return result;
  };
  const connect = (): Redis => new Redis({path: `${server.directory}/redis.sock`, protocol: 2});
  const whileOn = async (work: (redis: Redis) => Promise<unknown>): Promise<void> => {
    const redis = connect();
    while (!isOver) await work(redis);
    redis.disconnect();
  };
  await server.redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  const produce = async (redis: Redis): Promise<void> => {
    const adding = Array.from({length: 20}, (_, n) =>
      noted(
        () => redis.xadd(STREAM, '*', 'n', n),
        (id, when) => added.set(id!, when),
      ),
    );
    await Promise.all([...adding, sleep(added.size < MOST_ADDED ? 3 : 50)]);
  };
  const work = (name: string) => async (redis: Redis) => {
    const ids = await noted(
      async () => {
        const reply = await redis.xreadgroup('GROUP', GROUP, name, 'COUNT', 7, 'BLOCK', 50, 'STREAMS', STREAM, '>');
        return ((reply as [string, [string][]][] | null) ?? []).flatMap(([, entries]) => entries.map(([id]) => id));
      },
      (found, when) => {
        for (const id of found) delivered.set(id, when);
      },
    );
    // Every fifth stays pending for ever.
    const done = ids.filter((_, at) => at % 5 !== 4);
    if (done.length === 0) return;
    await sleep(2 * done.length);
    await noted(
      () => redis.xack(STREAM, GROUP, ...done),
      (_, when) => {
        for (const id of done) acknowledged.set(id, when);
      },
    );
  };
  const trim = async (): Promise<void> => {
    const {code, stderr} = await streamlog(['trim', STREAM, '--maxlen', '500', '--safe'], {server});
    expect(code, stderr).toBe(0);
  };
  const all = [whileOn(produce), ...['w1', 'w2', 'w3'].map((name) => whileOn(work(name))), whileOn(trim)];
  const maps = [added, delivered, acknowledged];
  const goOn = async (): Promise<void> => {
    const sizes = maps.map(({size}) => size + 200);
    await until(() => maps.every(({size}, at) => size >= sizes[at]!), 'the load goes on');
  };
  await goOn();
  return {
    added,
    delivered,
    acknowledged,
    goOn,
    async end() {
      isOver = true;
      await Promise.all(all);
    },
  };
}

interface ExportLine {
  streamlog?: string;
  at?: string;
  id?: string;
  fields?: object;
  pending?: unknown[];
  groups?: {lastDeliveredId: string}[];
}

/** Holds an export against what is known of the load by now, and counts in `found` what was decided. */
export function judgeExport(
  text: string,
  {added, delivered, acknowledged}: LoadedStream,
  found: {acknowledged: number; pending: number; undelivered: number},
): void {
  const lines = jsonLines(text) as ExportLine[];
  const [header] = lines;
  const atMs = Date.parse(header!.at!);
  const position = header!.groups![0]!.lastDeliveredId;
  const entries = lines.filter(({id}) => id !== undefined);
  const present = new Set(entries.filter(({fields}) => fields !== undefined).map(({id}) => id!));
  const pending = new Set(entries.filter((line) => line.pending !== undefined).map(({id}) => id!));
  const isBefore = (noted: Noted | undefined): boolean => noted !== undefined && noted.doneAtMs < atMs - MARGIN_MS;
  const isAfter = (noted: Noted | undefined): boolean => noted === undefined || noted.sentAtMs > atMs + MARGIN_MS;
  for (const [id, add] of added) {
    const isDelivered = compareStreamIds(id, position) <= 0;
    if (isAfter(add)) expect(present.has(id), `${id} was added later`).toBe(false);
    if (!isBefore(add)) continue;
    const delivery = delivered.get(id);
    const acknowledgement = acknowledged.get(id);
    if (isBefore(acknowledgement)) {
      found.acknowledged++;
      expect([isDelivered, pending.has(id)], `${id} was acknowledged`).toEqual([true, false]);
    }
    if (isBefore(delivery) && acknowledgement === undefined) {
      found.pending++;
      expect([isDelivered, present.has(id), pending.has(id)], `${id} is pending`).toEqual([true, true, true]);
    }
    if (isAfter(delivery) && acknowledgement === undefined) {
      found.undelivered++;
      expect([isDelivered, present.has(id), pending.has(id)], `${id} was not delivered`).toEqual([false, true, false]);
    }
  }
}
