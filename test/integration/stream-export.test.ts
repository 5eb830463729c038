/** Sections against what Redis itself says of a stream (XINFO STREAM FULL), for streams with random histories. */
import {Redis} from 'ioredis';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {decodeName, encodeName} from '../../src/lib/records/names.js';
import {compareStreamIds} from '../../src/lib/records/stream-id.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import type {PendingMember} from '../../src/lib/transfer/section.js';
import type {NumberedLine} from '../../src/lib/transfer/section-reader.js';
import {exported} from '../support/exported.js';
import {type FullStream, fullStream, RandomStream} from '../support/random-stream.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {seededRandom} from '../support/seeded-random.js';

const hex = (name: string | Buffer): string =>
  Buffer.from(typeof name === 'string' ? encodeName(name) : (name as never)).toString('hex');

/** What XINFO STREAM FULL would say of the stream that these lines are of. */
function fullOf(lines: readonly NumberedLine[]): FullStream {
  const header = lines[0];
  if (header?.kind !== 'header') throw new Error('no header');
  const rest = lines.filter((line) => line.kind === 'entry' || line.kind === 'gone');
  const pendingOf = (group: string) =>
    rest.flatMap(({id, pending}) =>
      pending.filter((member) => member.group === group).map((member) => ({id, ...member})),
    );
  const text = (count: number | bigint | string | undefined): string | undefined =>
    count === undefined ? undefined : String(count);
  return {
    facts: {
      length: text(header.length),
      'last-generated-id': header.lastGeneratedId,
      'max-deleted-entry-id': header.maxDeletedId,
      'entries-added': text(header.entriesAdded),
    },
    entries: rest.flatMap((line) => (line.kind === 'entry' ? [[line.id, line.fields.flat().map(hex)] as const] : [])),
    groups: header.groups.map(({name, lastDeliveredId, entriesRead, consumers}) => ({
      name: hex(name),
      facts: {'last-delivered-id': lastDeliveredId, 'entries-read': text(entriesRead)},
      pending: pendingOf(name).map(({id, consumer, deliveredAt, deliveries}: PendingMember & {id: string}) => ({
        id,
        consumer: hex(consumer!),
        deliveredAt,
        deliveries: String(deliveries),
      })),
      consumers: consumers!.map(hex),
    })),
  };
}

/** The clock of the server may go on between TIME and XPENDING. */
const withoutTimes = (full: FullStream): unknown => ({
  ...full,
  groups: full.groups.map((group) => ({...group, pending: group.pending.map(({deliveredAt, ...rest}) => rest)})),
});
const timesOf = (full: FullStream): number[] =>
  full.groups.flatMap(({pending}) => pending.map(({deliveredAt}) => deliveredAt));

describe.each(serverPrograms())('an export on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;
  let exact: Redis;
  beforeAll(async () => {
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
    exact = new Redis({path: server.url.slice('unix://'.length), stringNumbers: true, protocol: 2} as object);
  });
  afterAll(() => {
    client?.close();
    exact?.disconnect();
  });

  it('has all that Redis knows of a stream, after any history', async () => {
    const seen = {gone: 0, pending: 0, large: 0, ahead: 0, behind: 0};
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const key = random.oneIn(3) ? Buffer.from([seed, 0xff, 0x00]) : Buffer.from(`stream${seed}`);
      await new RandomStream(server.redis, key, random).build(40);
      const lines = await exported(client, decodeName(key), {}, {page: random.pick([1, 3, 1_000])});
      const full = await fullStream(exact, key);
      const found = fullOf(lines);
      expect(withoutTimes(found), `seed ${seed}`).toEqual(withoutTimes(full));
      for (const [at, deliveredAt] of timesOf(found).entries())
        expect(Math.abs(deliveredAt - timesOf(full)[at]!), `seed ${seed}`).toBeLessThan(1_000);
      seen.gone += lines.filter(({kind}) => kind === 'gone').length;
      seen.pending += timesOf(full).length;
      for (const {pending} of full.groups)
        seen.large += pending.filter(({deliveries}) => deliveries.length > 16).length;
      for (const {facts} of full.groups) {
        const order = compareStreamIds(facts['last-delivered-id']!, full.facts['last-generated-id']!);
        if (order > 0) seen.ahead++;
        if (order < 0) seen.behind++;
      }
    }
    // Histories without any of these would prove nothing.
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(3);
  });
});
