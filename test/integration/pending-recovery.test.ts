/** A look at what is pending with us, on a real server, while work goes on. */
import {afterEach, beforeEach, expect, it} from 'vitest';
import {InFlightEntries} from '../../src/lib/consume/in-flight-entries.js';
import {scanOwnPending} from '../../src/lib/consume/pending-entries.js';
import {EntryIds} from '../../src/lib/records/entry-ids.js';
import {type Membership, StreamClient} from '../../src/lib/stream-client.js';
import {serverForEach} from '../support/redis-server.js';

const member: Membership = {stream: 'events', group: 'g', consumer: 'w1'};

/** `missing` gets what is in flight and not pending any more. */
const contextOf = (inFlight: InFlightEntries, missing: string[]) => ({
  member,
  inFlight,
  permitted: <T>(read: (count: number) => Promise<T>): Promise<T> => read(10),
  over: () => false,
  widen: () => {},
  onGone: () => {},
  onMissing: async (ids: readonly string[]) => {
    missing.push(...ids);
  },
});

const server = serverForEach();
let control: StreamClient;

beforeEach(async () => {
  control = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
  await control.createGroup('events', 'g', '0-0', true);
  for (const id of ['1-0', '2-0', '3-0']) await server.redis.xadd('events', id, 'n', id);
  await control.readNew(member, {count: 3});
});
afterEach(async () => {
  control.close();
});

it('takes what is not in flight, and not what is acknowledged while the answer is on its way', async () => {
  const inFlight = new InFlightEntries();
  const batch = inFlight.deliver(EntryIds.of(['1-0', '3-0']));
  const ask = control.pending.bind(control);
  // Each answer is read only when 1-0 is acknowledged, which Redis did after it had answered.
  control.pending = async function* (...asked) {
    for await (const page of ask(...asked)) {
      inFlight.finish(batch, ['1-0']);
      await control.acknowledge('events', 'g', EntryIds.of(['1-0']));
      inFlight.confirm(inFlight.finished(1));
      yield page;
    }
  };
  const taken: string[] = [];
  for await (const records of scanOwnPending(control, contextOf(inFlight, [])))
    taken.push(...records.map(({id}) => id));
  expect(taken).toEqual(['2-0']);
});

it('finds what is in flight and not pending with us any more', async () => {
  const inFlight = new InFlightEntries();
  inFlight.deliver(EntryIds.of(['1-0', '2-0', '3-0']));
  await server.redis.xack('events', 'g', '2-0');
  const missing: string[] = [];
  for await (const records of scanOwnPending(control, contextOf(inFlight, missing))) expect(records).toEqual([]);
  expect(missing).toEqual(['2-0']);
});
