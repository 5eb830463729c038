import {PassThrough} from 'node:stream';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {MAX_CONNECTIONS, MAX_UNSENT_BYTES} from '../../../src/lib/serve/connection-limits.js';
import {Connections} from '../../../src/lib/serve/connections.js';
import type {HttpConnection, RequestState} from '../../../src/lib/serve/http-connection.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A socket of `address` that carries nothing. */
const socketOf = (address: string, port: number) =>
  Object.assign(new PassThrough(), {remoteAddress: address, remotePort: port});

function books() {
  const ended: string[] = [];
  const connections = new Connections(({address}, reason) => ended.push(`${address} ${reason}`));
  let port = 0;
  const open = (address: string): HttpConnection => connections.of(socketOf(address, ++port));
  return {connections, ended, open};
}

/** A request on `connection` that stays under way until what is returned is called. */
function ask(connection: HttpConnection, complete = true): {sent(bytes: number): void; end(): void; ran(): boolean} {
  const response = new PassThrough();
  let ran = false;
  const state = {
    response,
    request: {complete},
    startMs: performance.now(),
    isClosed: false,
    sentBytes: 0,
    run: () => {
      ran = true;
    },
    close: () => {},
    settle: () => {},
  } as unknown as RequestState;
  connection.begin(state);
  return {
    sent: (bytes) => connection.sent(state, bytes),
    end() {
      response.emit('close');
    },
    ran: () => ran,
  };
}

describe('when there are more connections than there is room for', () => {
  it('the oldest without a request goes, of the address that has the most', () => {
    const {connections, ended, open} = books();
    const few = open('10.0.0.1');
    const busy = open('10.0.0.2');
    ask(busy);
    const many = Array.from({length: MAX_CONNECTIONS - 2}, () => open('10.0.0.2'));
    expect(ended).toEqual([]);
    const honest = open('10.0.0.3');
    expect([connections.count, ended]).toEqual([MAX_CONNECTIONS, ['10.0.0.2 too_many_connections']]);
    expect([many[0], many[1], few, busy, honest].map((each) => each!.socket.destroyed)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('those that had a request go after those that never had one, and those that send one after all of these', () => {
    const {ended, open} = books();
    const all = Array.from({length: MAX_CONNECTIONS}, () => open('10.0.0.1'));
    for (const connection of all.slice(0, -2)) ask(connection, false);
    const [idle, fresh] = all.slice(-2) as [HttpConnection, HttpConnection];
    ask(idle).end();
    for (const expected of [fresh, idle, all[0]!]) {
      const busy = open('10.0.0.1');
      expect(expected.socket.destroyed).toBe(true);
      ask(busy);
    }
    expect(ended).toHaveLength(3);
  });

  it('the newcomer goes where all others of its address have a whole request under way', () => {
    const {ended, open} = books();
    for (let n = 0; n < MAX_CONNECTIONS; n++) ask(open('10.0.0.1'));
    expect(open('10.0.0.1').socket.destroyed).toBe(true);
    expect(ended).toEqual(['10.0.0.1 too_many_connections']);
  });

  it('and where the others have as few as its own address', () => {
    const {ended, open} = books();
    for (let n = 0; n < MAX_CONNECTIONS; n++) ask(open(n % 2 === 0 ? '10.0.0.1' : '10.0.0.2'));
    expect(open('10.0.0.1').socket.destroyed).toBe(true);
    expect(ended).toEqual(['10.0.0.1 too_many_connections']);
  });

  it.each([1, 3])(
    '%i addresses that keep all of theirs busy pay for it, and the idle ones of others stay',
    (attackers) => {
      const {ended, open} = books();
      const few = ['10.0.1.1', '10.0.1.2'].map((address) => {
        const connection = open(address);
        ask(connection).end();
        return connection;
      });
      const greedy = Array.from({length: MAX_CONNECTIONS - few.length}, (_, n) => {
        const connection = open(`10.0.0.${n % attackers}`);
        ask(connection);
        return connection;
      });
      const honest = open('10.0.1.3');
      const stays = [...few, honest].map(({socket}) => socket.destroyed);
      expect([stays, ended]).toEqual([[false, false, false], ['10.0.0.0 too_many_connections']]);
      expect(greedy[0]!.socket.destroyed).toBe(true);
      // Their own newcomers get no room at the cost of others.
      ask(honest).end();
      for (let n = 0; n < 5; n++) ask(open('10.0.0.0'));
      expect([...few, honest].map(({socket}) => socket.destroyed)).toEqual([false, false, false]);
    },
  );

  it('one that closes makes room, and is forgotten', async () => {
    const {connections, ended, open} = books();
    const all = Array.from({length: MAX_CONNECTIONS}, () => open('10.0.0.1'));
    const closed = new Promise((resolve) => all[0]!.socket.once('close', resolve));
    all[0]!.socket.destroy();
    await closed;
    open('10.0.0.2');
    expect([connections.count, ended]).toEqual([MAX_CONNECTIONS, []]);
  });
});

describe('the requests of one connection', () => {
  it('are sixteen at most; the others wait for their turn, in their order', () => {
    const {connections, open} = books();
    const connection = open('10.0.0.1');
    const asked = Array.from({length: 40}, () => ask(connection));
    expect(asked.filter(({ran}) => ran())).toHaveLength(16);
    expect(connections.waiting).toBe(24);
    asked[3]!.end();
    expect(asked.map(({ran}) => ran()).lastIndexOf(true)).toBe(16);
    for (const each of asked) each.end();
    expect([asked.every(({ran}) => ran()), connections.waiting]).toEqual([true, 0]);
  });

  it('wait while the client leaves too much unread', () => {
    const {connections, open} = books();
    const connection = open('10.0.0.1');
    const first = ask(connection);
    connections.onUnsent(connection, 100_000);
    const second = ask(connection);
    expect(second.ran()).toBe(false);
    connections.onUnsent(connection, -100_000);
    first.end();
    expect(second.ran()).toBe(true);
  });

  it('are given up where those that wait are too many for one address, and theirs count until their memory is free', () => {
    const {connections, ended, open} = books();
    const patient = open('10.0.0.2');
    for (let n = 0; n < 20; n++) ask(patient);
    const greedy = Array.from({length: 5}, () => open('10.0.0.1'));
    for (const connection of greedy) for (let n = 0; n < 500 && !connection.isUnreadable; n++) ask(connection);
    expect(ended).toEqual(['10.0.0.1 too_many_pipelined']);
    expect(greedy.map(({socket}) => socket.destroyed)).toEqual([false, false, false, false, true]);
    const early = open('10.0.0.1');
    for (let n = 0; n < 17; n++) ask(early);
    expect(early.isUnreadable).toBe(true);
    vi.runAllTimers();
    expect(connections.waiting).toBe(4 + 4 * (500 - 16));
    const late = open('10.0.0.1');
    for (let n = 0; n < 17; n++) ask(late);
    expect(late.isUnreadable).toBe(false);
  });

  it('that come behind the last one count as long as their connection is there, and a moment longer', () => {
    const {connections, open} = books();
    const connection = open('10.0.0.1');
    for (let n = 0; n < 20; n++) ask(connection);
    for (let n = 0; n < 3; n++) connection.ignore();
    expect(connections.waiting).toBe(4 + 3);
    connection.close();
    expect(connections.waiting).toBe(4 + 3);
    vi.runAllTimers();
    expect(connections.waiting).toBe(0);
  });
});

it('an answer that has gone is unread no more, and those behind it have their turn', () => {
  const {connections, open} = books();
  const connection = open('10.0.0.1');
  const [first, second] = [ask(connection), ask(connection)];
  first.sent(60_000);
  first.sent(40_000);
  second.sent(10);
  const third = ask(connection);
  expect([connections.unsentBytes, third.ran()]).toEqual([100_010, false]);
  first.end();
  expect([connections.unsentBytes, connection.unsentBytes, third.ran()]).toEqual([10, 10, true]);
  second.end();
  expect([connections.unsentBytes, connection.unsentBytes]).toEqual([0, 0]);
});

it('of answers that nobody takes, the connection ends that left the most', () => {
  const {connections, ended, open} = books();
  const [small, large] = [open('10.0.0.1'), open('10.0.0.2')];
  connections.onUnsent(small, 1_000);
  connections.onUnsent(large, MAX_UNSENT_BYTES - 1_000);
  expect(ended).toEqual([]);
  connections.onUnsent(small, 1);
  expect([ended, small.socket.destroyed, connections.unsentBytes]).toEqual([['10.0.0.2 unread_answers'], false, 1_001]);
});
