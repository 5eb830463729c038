/** What a server does not say, or a user may not ask, is no finding: as with Redis 6.2, which does not count what was added and read. */
import {describe, expect, it} from 'vitest';
import {Commands} from '../../../src/lib/doctor/commands.js';
import {Examination, type GroupSubject} from '../../../src/lib/doctor/examination.js';
import type {Sighting} from '../../../src/lib/doctor/finding.js';
import {GROUP_CHECKS} from '../../../src/lib/doctor/group-checks.js';
import {STREAM_CHECKS} from '../../../src/lib/doctor/stream-checks.js';
import type {GroupFacts, StreamFacts} from '../../../src/lib/observe/snapshot.js';
import type {StreamClient} from '../../../src/lib/stream-client.js';
import {groupFacts, SERVER, snapshotOf, streamFacts} from '../snapshots.js';

const server = {nodes: [''], isCluster: false, redisCli: () => ['redis-cli']} as unknown as StreamClient['server'];
const commands = new Commands(
  {streamlog: [], redisCli: {environment: [], flags: [], urlVariable: undefined}, lacksPassword: false},
  server,
);

/** What is found, and what could not be looked for, without a server to ask. */
async function look(
  stream: Partial<StreamFacts>,
  group: Partial<GroupFacts>,
): Promise<{found: string[]; unexamined: string[]}> {
  const nowMs = Date.now();
  const facts = streamFacts({stream: 'orders', firstId: `${nowMs - 90_000_000}-0`, ...stream});
  const subject = groupFacts({group: 'billing', ...group});
  const snapshot = {...snapshotOf([facts]), at: new Date(nowMs).toISOString(), server: SERVER};
  const options = {
    commands,
    isDeep: false,
    withPayload: false,
    stopping: new AbortController().signal,
    onProgress: () => {},
  };
  const examination = new Examination({server} as StreamClient, options, snapshot);
  const ofGroup: GroupSubject = {stream: facts, before: facts, group: subject, groupBefore: subject};
  const found: Sighting[] = [];
  for (const check of STREAM_CHECKS) found.push(...(await check.run({stream: facts, before: facts}, examination)));
  for (const check of GROUP_CHECKS) found.push(...(await check.run(ofGroup, examination)));
  return {found: found.map(({id}) => id), unexamined: examination.unexamined};
}

const UNCOUNTED = {entriesAdded: null, maxDeletedId: null};

describe('before Redis counted entries', () => {
  it('nothing is found in a stream and a group that are well', async () => {
    expect(await look({...UNCOUNTED, length: 10, bytes: 900, bytesPerEntry: 90}, {entriesRead: null})).toEqual({
      found: [],
      unexamined: [],
    });
  });

  it('it says that it cannot tell whether a long stream was ever trimmed', async () => {
    const {found, unexamined} = await look(
      {...UNCOUNTED, length: 200_000, firstAgeMs: 90_000_000, bytes: 900, bytesPerEntry: 9},
      {entriesRead: null},
    );
    expect(found).toEqual([]);
    expect(unexamined).toEqual(['D07 not looked for: the server does not say whether entries were ever removed']);
  });

  it('a group that has no consumer and has read nothing is found all the same', async () => {
    const unread = {lag: 5, lagAtLeast: 5, lagAtMost: 5, behindMs: 90_000_000};
    // D17 is why, and so what is shown of them.
    const group = {entriesRead: null, consumers: 0, lastDeliveredId: '0-0', ...unread};
    expect((await look({...UNCOUNTED, length: 5, bytes: 900}, group)).found).toEqual(['D04', 'D08', 'D17']);
  });
});

it('of entries that are too large to be asked for, and whose IDs are not known, nothing is claimed', async () => {
  const unknown = {firstId: null, firstAgeMs: null, lastId: null, lastAgeMs: null, lastGeneratedId: null};
  const lags = {lag: null, lagExact: null, lagAtLeast: null, lagAtMost: null, lagSource: null, behindMs: null};
  const {found} = await look({...UNCOUNTED, ...unknown, length: 5, bytes: 900}, {entriesRead: null, ...lags});
  expect(found).toEqual([]);
});

it('dead letters that the user may not read are not none', async () => {
  const {unexamined} = await look({deadLetters: null, length: 1, bytes: 90}, {});
  expect(unexamined).toEqual(['D15 not looked for: the user may not read the dead letters']);
});
