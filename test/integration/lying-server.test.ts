/**
 * A server that is no Redis, is broken or means ill: whatever it answers, a call
 * ends, with a value or a failure that says so, and none is taken for a bug of ours.
 */
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {EntryIds} from '../../src/lib/records/entry-ids.js';
import {isEntryId} from '../../src/lib/records/stream-id.js';
import {AddEncoder} from '../../src/lib/redis/add-encoder.js';
import {IdempotentEncoder} from '../../src/lib/redis/producer-state.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type LyingServer, startLyingServer} from '../support/lying-server.js';
import {hostileReply, LIES} from '../unit/redis/hostile-replies.js';

let server: LyingServer;
beforeAll(async () => {
  server = await startLyingServer();
});
afterAll(() => server?.stop());

const member = {stream: 's', group: 'g', consumer: 'c'};
const first = async <T>(pages: AsyncGenerator<T>): Promise<T | undefined> => {
  for await (const page of pages) return page;
  return undefined;
};
const adds = (): ReturnType<AddEncoder['take']> => {
  const encoder = new AddEncoder('s');
  encoder.add({fields: [['a', '1']], id: '*', options: {}});
  encoder.add({fields: [['a', '2']], id: '*', options: {}});
  return encoder.take();
};
const once = (): ReturnType<IdempotentEncoder['take']> => {
  const encoder = new IdempotentEncoder('s', {key: 'k', keepSeconds: 1, digest: '', wantsIds: true, atomic: false});
  encoder.add({fields: [['a', '1']], id: '*', options: {}});
  return encoder.take(1, undefined);
};

/** One for each reader of replies; what comes of it is given to `toPlain`. */
const CALLS: Record<string, (client: StreamClient) => Promise<unknown>> = {
  XADD: (client) => client.addAll('s', adds()),
  'XADD once': (client) => client.addOnce('s', once()),
  XLEN: (client) => client.length('s'),
  XDEL: (client) => client.delete('s', ['1-1']),
  XRANGE: (client) => first(client.range('s')),
  XREVRANGE: (client) => first(client.records('s', '0-0', '9-9', {reverse: true})),
  IDs: (client) => first(client.ids('s', '0-0', '9-9')),
  XREAD: (client) => client.read('s', '0-0', {count: 1}),
  XREADGROUP: (client) => client.readNew(member, {count: 1}),
  'XACK and XREADGROUP': async (client) => {
    const {acknowledged, delivered} = client.acknowledgeAndReadNew(member, EntryIds.of(['1-1']), {count: 1});
    return Promise.all([acknowledged, delivered]);
  },
  'XREADGROUP, pending': (client) => client.readPending(member, '0-0', 1),
  XACK: (client) => client.acknowledge('s', 'g', EntryIds.of(['1-1'])),
  XCLAIM: (client) => client.claim(member, 1, ['1-1']),
  'XCLAIM JUSTID': (client) => client.claimUncounted(member, 1, ['1-1']),
  XPENDING: (client) => client.pendingSummary('s', 'g'),
  'XPENDING, a page': (client) => first(client.pending('s', 'g')),
  'a renewal': (client) => client.scripts.renewLeases(member, ['1-1']),
  'a dead letter': (client) =>
    client.scripts.moveToDeadLetters(member, '1-1', {deadLetter: 'd', reason: 'r', nowMs: 1}),
  'a redrive': (client) => client.scripts.redrive('d', '1-1', 's'),
  XNACK: (client) => client.scripts.giveBack(member, {id: '1-1'}),
  'a retirement': (client) => client.scripts.retireConsumers(member, ['c'], {minIdleMs: 1, maxMoved: 1}),
  'XGROUP CREATE': (client) => client.createGroup('s', 'g', '0-0', true),
  'XGROUP DESTROY': (client) => client.destroyGroup('s', 'g'),
  'XINFO STREAM': (client) => client.info('s'),
  'XINFO GROUPS': (client) => client.groups('s'),
  'XINFO CONSUMERS': (client) => client.consumers('s', 'g'),
  'MEMORY USAGE': (client) => client.bytes('s'),
  SCAN: (client) => first(client.server.streams()),
};

/** What the call came to. The server may say what it likes, and does not, so a silence ends the call. */
async function outcomeOf(call: (client: StreamClient) => Promise<unknown>): Promise<unknown> {
  const client = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000, silenceMs: 300});
  try {
    return await call(client).catch((error: unknown) => error);
  } finally {
    client.close();
  }
}

function expectSound(outcome: unknown): void {
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(StreamlogError);
    expect((outcome as StreamlogError).kind, outcome.message).not.toBe('bug');
  } else if (Array.isArray(outcome)) {
    for (const part of outcome) expectSound(part);
  } else if (typeof outcome === 'object' && outcome !== null && 'id' in outcome) {
    expect(isEntryId(String(outcome.id))).toBe(true);
  } else if (typeof outcome === 'number') expect(outcome).not.toBeNaN();
}

describe.each(Object.keys(CALLS))('%s', (name) => {
  it('ends without a bug of ours, whatever is answered', async () => {
    await fc.assert(
      fc.asyncProperty(hostileReply, async (reply) => {
        server.lie(reply);
        expectSound(await outcomeOf(CALLS[name]!));
      }),
      {numRuns: 30},
    );
  });

  it.each(LIES)('ends without a bug of ours when it is answered %s', async (_, reply) => {
    server.lie(reply);
    expectSound(await outcomeOf(CALLS[name]!));
  });
});

it('an answer to XADD that is no ID is never given out as one', async () => {
  for (const lie of [
    '+OK\r\n+OK\r\n',
    ':1\r\n:2\r\n',
    '$5\r\nhello\r\n$3\r\n1-1\r\n',
    '$3\r\n01-1\r\n',
    '+1-\r\n+1-1\r\n',
  ]) {
    server.lie(Buffer.from(lie), {stays: true});
    const results = (await outcomeOf(CALLS.XADD!)) as unknown[];
    expect(results, lie).toContainEqual(expect.objectContaining({kind: 'unreachable', code: 'NOT_REDIS'}));
  }
});

it('memory does not grow with what a length promises', async () => {
  const before = process.memoryUsage().rss;
  for (const [, lie] of LIES.filter(([what]) => what.includes('said'))) {
    for (const call of Object.values(CALLS)) {
      server.lie(lie, {stays: true});
      await outcomeOf(call);
    }
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});
