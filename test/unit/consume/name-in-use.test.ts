import {describe, expect, it} from 'vitest';
import {clientNameOf, otherProcess} from '../../../src/lib/consume/name-in-use.js';
import type {ConnectedClient, Membership, StreamClient} from '../../../src/lib/stream-client.js';

const member: Membership = {stream: 'events', group: 'g', consumer: 'w1'};
const ours = clientNameOf(member);
/** The same consumer, in another process. */
const theirs = `${ours.slice(0, ours.lastIndexOf(':'))}:another`;

const client = (name: string, id: number, idleSeconds = 0): ConnectedClient => ({
  name,
  id,
  idleSeconds,
  address: `10.0.0.1:${id}`,
});
/** Who is found among the clients of each server. */
const find = (...servers: ConnectedClient[][]): ReturnType<typeof otherProcess> =>
  otherProcess({server: {connectedClients: async () => servers}} as unknown as StreamClient, member);

describe('of two processes of one name', () => {
  it('the one whose first connection is the older one has it, whenever the others were opened', async () => {
    expect(await find([client(ours, 3), client(theirs, 4), client(ours, 5), client(theirs, 6)])).toBeUndefined();
    expect(await find([client(theirs, 2), client(ours, 3), client(theirs, 4), client(ours, 5)])).toMatchObject({id: 2});
  });

  it('one that has sent nothing for more than five seconds has no name any more', async () => {
    expect(await find([client(theirs, 1, 5), client(ours, 2)])).toMatchObject({id: 1});
    expect(await find([client(theirs, 1, 6), client(ours, 2)])).toBeUndefined();
  });

  it('where we have no connection, whoever is there was there first', async () => {
    expect(await find([client(ours, 2)], [client(theirs, 9)])).toMatchObject({id: 9});
    expect(await find([client(theirs, 1), client('', 2)])).toMatchObject({id: 1});
  });
});

it('who sees neither itself nor another cannot know', async () => {
  expect(await find([client('', 1)])).toBe('unknown');
  expect(await find()).toBe('unknown');
});
