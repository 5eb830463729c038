/** Which dead letters are meant, to the millisecond, and that what is counted as deleted was deleted. */
import {afterAll, afterEach, beforeAll, expect, it} from 'vitest';
import {Redriver} from '../../src/lib/dead-letters/redriving.js';
import {type DeadLetterSelection, Purger, selectDeadLetters} from '../../src/lib/dead-letters/selection.js';
import {Search} from '../../src/lib/filter/search.js';
import type {Entry} from '../../src/lib/records/entry.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll} from '../support/redis-server.js';

const DEAD = '{events}:dead';
const server = serverForAll();
let client: StreamClient;

beforeAll(async () => {
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(async () => {
  client.close();
});
afterEach(() => server.redis.flushall());

async function add(...all: string[]): Promise<void> {
  for (const id of all) await server.redis.xadd(DEAD, id, 'n', id);
}

async function* of<T>(...items: T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

async function selected(more: Partial<DeadLetterSelection>): Promise<string[]> {
  const found: string[] = [];
  const selection = {search: new Search({filter: undefined}), onMissing: () => {}, ...more};
  for await (const page of selectDeadLetters(client, DEAD, selection)) found.push(...page.map(({id}) => id));
  return found;
}

const all = ['99-0', '99-18446744073709551615', '100-0', '100-1', '101-0'];

it.each([undefined, all])('before a time is before its first millisecond (IDs: %s)', async (named) => {
  await add(...all);
  const ids = named === undefined ? {} : {ids: of(named.map((id) => ({id})))};
  expect(await selected({...ids, beforeMs: 100})).toEqual(['99-0', '99-18446744073709551615']);
});

it('what comes after the selection began is not meant, also when it is named', async () => {
  await add('1-0', '2-0');
  async function* late(): AsyncGenerator<{id: string}[], void, void> {
    await add('3-0');
    yield ['1-0', '2-0', '3-0'].map((id) => ({id}));
  }
  expect(await selected({ids: late()})).toEqual(['1-0', '2-0']);
});

it('--limit counts what matches, in the order of the IDs that are named', async () => {
  await add('1-0', '2-0', '3-0');
  const ids = of([{id: '3-0'}, {id: '9-0'}], [{id: '1-0'}, {id: '2-0'}]);
  expect(await selected({ids, search: new Search({filter: undefined, count: 2})})).toEqual(['3-0', '1-0']);
});

it('what another has deleted meanwhile is not counted as purged', async () => {
  await add('1-0', '2-0', '3-0');
  const page: Entry[] = ['1-0', '2-0', '3-0'].map((id) => ({id, fields: []}));
  await server.redis.xdel(DEAD, '2-0');
  const purger = new Purger(client, {deadLetter: DEAD, dryRun: false, stopping: new AbortController().signal});
  await purger.purge(of(page));
  expect(purger.purged).toBe(2);
});

it('what was put back beside one that could not be is told before the failure', async () => {
  await server.redis.set('taken', 'no stream');
  const page: Entry[] = ['good', 'taken', 'good'].map((stream, index) => ({
    id: `${index + 1}-0`,
    fields: [['_dlq_stream', stream]],
  }));
  for (const {id, fields} of page) await server.redis.xadd(DEAD, id, ...fields.flat());
  const redriver = new Redriver(client, {deadLetter: DEAD, dryRun: false, stopping: new AbortController().signal});
  const reported: string[] = [];
  const redrive = async (): Promise<void> => {
    for await (const moved of redriver.redrive(of(page))) reported.push(...moved.map(({id}) => id));
  };
  await expect(redrive()).rejects.toMatchObject({kind: 'data', code: 'WRONGTYPE'});
  expect([reported, redriver.counts.redriven]).toEqual([['1-0', '3-0'], 2]);
  expect((await server.redis.xrange(DEAD, '-', '+')).map(([id]) => id)).toEqual(['2-0']);
});
