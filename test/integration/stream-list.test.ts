import {afterAll, beforeAll, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {Omissions} from '../../src/lib/reports/omissions.js';
import {listStreams} from '../../src/lib/reports/stream-list.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll} from '../support/redis-server.js';

const server = serverForAll();
let client: StreamClient;
beforeAll(async () => {
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(async () => {
  client.close();
});

it('what goes, or becomes something else, between SCAN and XINFO is left out', async () => {
  for (const name of ['gone', 'replaced', 'stays']) await server.redis.xadd(name, '1-0', 'a', 'b');
  // The real client, and somebody else who is fast.
  const raced = {
    server: {
      async *streams() {
        for await (const names of client.server.streams()) {
          await server.redis.del('gone', 'replaced');
          await server.redis.set('replaced', 'text');
          yield names;
        }
      },
    },
    scripts: client.scripts,
    length: (stream: string) => client.length(stream),
  } as unknown as StreamClient;

  const found = [];
  for await (const page of listStreams(raced, {now: Date.now})) found.push(...page);

  expect(found.map(({name}) => name)).toEqual(['stays']);
});

it('what the user may not look at is counted, and no reason to run again', async () => {
  await server.redis.xadd('secret', '1-0', 'a', 'b');
  const refused = (kind: 'denied' | 'temporary', name: string) => {
    const unlessRefused = <T>(asked: string, ask: () => Promise<T>): Promise<T> =>
      asked === name ? Promise.reject(new StreamlogError(kind, `${kind} of ${asked}`)) : ask();
    return {
      server: client.server,
      length: (asked: string) => client.length(asked),
      info: (asked: string) => unlessRefused(asked, () => client.info(asked)),
      scripts: {briefInfo: (asked: string) => unlessRefused(asked, () => client.scripts.briefInfo(asked))},
    } as unknown as StreamClient;
  };
  const list = async (raced: StreamClient): Promise<Omissions> => {
    const omissions = new Omissions();
    for await (const _ of listStreams(raced, {now: Date.now, omissions}));
    return omissions;
  };
  const denied = await list(refused('denied', 'secret'));
  expect([denied.denied, denied.unanswered, denied.isEmpty, denied.failure]).toEqual([1, 0, false, undefined]);
  const unanswered = await list(refused('temporary', 'secret'));
  expect([unanswered.denied, unanswered.unanswered, unanswered.failure]).toEqual([
    0,
    1,
    expect.objectContaining({kind: 'temporary', message: expect.stringContaining('1 stream did not answer')}),
  ]);
});
