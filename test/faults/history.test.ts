/**
 * The checker itself: it finds what is wrong with a bad history, all of it and
 * nothing else, and finds nothing in good ones.
 */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {acknowledgedIn, collect} from './support/collect.js';
import {CONSUMING_CORRUPTIONS} from './support/corruptions-of-consuming.js';
import {PRODUCING_CORRUPTIONS} from './support/corruptions-of-producing.js';
import {type Ending, type HistoryEvent, judge} from './support/history.js';
import {goodHistory} from './support/history-model.js';
import {SeededRandom} from './support/seed.js';
import {ALLOWANCES, BREACHES, explain, isSound, type Verdict} from './support/verdict.js';

const added = (value: string, id: string, by = 'p'): HistoryEvent[] => [
  {what: 'attempted', value, by},
  {what: 'confirmed', value, id},
];
const delivered = (value: string, id: string, deliveries?: number): HistoryEvent => ({
  what: 'delivered',
  value,
  id,
  by: 'w1',
  deliveries,
});
const finished = (value: string, id: string): HistoryEvent[] => [delivered(value, id, 1), {what: 'succeeded', id}];
const entry = (value: string, id: string): {id: string; value: string} => ({id, value});
const pending = (id: string, deliveries = 1) => ({id, consumer: 'w1', deliveries});

/** Three entries, each finished once, all acknowledged. */
const EVENTS: HistoryEvent[] = [
  ...added('a', '1-0'),
  ...added('b', '2-0'),
  ...added('c', '10-0'),
  ...finished('a', '1-0'),
  ...finished('b', '2-0'),
  ...finished('c', '10-0'),
];
const STREAM = [entry('a', '1-0'), entry('b', '2-0'), entry('c', '10-0')];
const GROUP = {lastDeliveredId: '10-0', pending: []};
const ENDING: Ending = {stream: STREAM, group: GROUP, dead: []};

/** The lists of a verdict that are not empty. */
const findings = (verdict: Verdict): Record<string, readonly string[]> =>
  Object.fromEntries(
    [...BREACHES, ...ALLOWANCES]
      .filter((finding) => verdict[finding].length > 0)
      .map((finding) => [finding, verdict[finding]]),
  );
const without = (what: HistoryEvent['what'], id: string): HistoryEvent[] =>
  EVENTS.filter((event) => !(event.what === what && 'id' in event && event.id === id));

interface Case {
  name: string;
  events?: HistoryEvent[];
  ending?: Partial<Ending>;
  finds: Record<string, string[]>;
}

const GOOD: Case[] = [
  {name: 'each once', finds: {}},
  {name: 'nothing at all', events: [], ending: {stream: [], group: undefined}, finds: {}},
  {
    name: 'an attempt without an answer that was executed',
    events: without('confirmed', '10-0'),
    finds: {},
  },
  {
    name: 'an attempt without an answer that was not executed',
    events: [...EVENTS, {what: 'attempted', value: 'd', by: 'p'}],
    finds: {},
  },
  {
    name: 'a failure, and success at the second try',
    events: [
      ...without('delivered', '2-0').filter((e) => !(e.what === 'succeeded' && e.id === '2-0')),
      delivered('b', '2-0', 1),
      {what: 'failed', id: '2-0'},
      delivered('b', '2-0', 2),
      {what: 'succeeded', id: '2-0'},
    ],
    finds: {},
  },
  {
    name: 'an attempt that was noted again when it was repeated',
    events: [...EVENTS, {what: 'attempted', value: 'a', by: 'p'}],
    finds: {},
  },
  {
    name: 'an entry that was given up',
    events: without('succeeded', '2-0'),
    ending: {dead: [entry('b', '2-0')]},
    finds: {},
  },
  {
    name: 'an entry that was given up and trimmed since',
    events: without('succeeded', '2-0'),
    ending: {dead: [entry('b', '2-0')], stream: [STREAM[0]!, STREAM[2]!]},
    finds: {},
  },
  {
    name: 'an entry that is still in hand',
    events: without('succeeded', '10-0'),
    ending: {group: {...GROUP, pending: [pending('10-0')]}},
    finds: {},
  },
  {
    name: 'entries from before the group began',
    events: without('delivered', '1-0').filter((event) => !(event.what === 'succeeded' && event.id === '1-0')),
    ending: {group: {...GROUP, beganAfter: '1-0'}},
    finds: {},
  },
  {
    name: 'a claim that came before the acknowledgement and is seen after it',
    events: [...EVENTS, {what: 'acknowledged', id: '1-0'}, delivered('a', '1-0', 2)],
    finds: {duplicateDeliveries: ['a']},
  },
  {
    name: 'a delivery after a lost acknowledgement',
    events: [...EVENTS, delivered('a', '1-0', 2), {what: 'succeeded', id: '1-0'}],
    finds: {duplicateDeliveries: ['a']},
  },
  {
    name: 'an attempt that was repeated after a lost reply',
    events: [...EVENTS, ...finished('c', '11-0')],
    ending: {stream: [...STREAM, entry('c', '11-0')], group: {...GROUP, lastDeliveredId: '11-0'}},
    finds: {duplicatedInStream: ['c']},
  },
  {
    name: 'a window that was repeated after a lost reply',
    ending: {
      stream: [...STREAM, entry('b', '11-0'), entry('c', '12-0')],
    },
    finds: {duplicatedInStream: ['b', 'c'], undelivered: ['b', 'c']},
  },
  {
    name: 'a dead letter that was put back and then finished',
    events: [...without('succeeded', '2-0'), {what: 'redriven', id: '2-0'}, ...finished('b', '11-0')],
    ending: {stream: [...STREAM, entry('b', '11-0')], group: {...GROUP, lastDeliveredId: '11-0'}},
    finds: {duplicatedInStream: ['b']},
  },
  {
    name: 'two producers that overtake each other',
    events: [
      ...added('p1', '1-0', 'p'),
      ...added('q1', '3-0', 'q'),
      ...added('q2', '4-0', 'q'),
      ...added('p2', '2-0', 'p'),
    ],
    ending: {
      stream: [entry('p1', '1-0'), entry('p2', '2-0'), entry('q1', '3-0'), entry('q2', '4-0')],
      group: undefined,
    },
    finds: {},
  },
];

const BAD: Case[] = [
  {
    name: 'a confirmed entry is gone',
    events: EVENTS.filter((event) => event.what === 'attempted' || event.what === 'confirmed'),
    ending: {stream: [STREAM[0]!, STREAM[2]!], group: undefined},
    finds: {lost: ['b']},
  },
  {
    name: 'an entry in the stream that nobody attempted',
    ending: {stream: [...STREAM, entry('x', '11-0')]},
    finds: {unexpected: ['x'], undelivered: ['x']},
  },
  {
    name: 'a dead letter that nobody attempted',
    ending: {dead: [entry('x', '3-0')]},
    finds: {unexpected: ['x']},
  },
  {
    name: 'a delivery of what nobody attempted',
    events: [...EVENTS, ...finished('x', '3-0')],
    finds: {unexpected: ['x']},
  },
  {
    name: 'an entry delivered as another',
    events: [...without('delivered', '2-0'), delivered('a', '2-0', 1)],
    finds: {unexpected: ['a']},
  },
  {
    name: 'a producer told the ID of another entry',
    events: [...without('confirmed', '2-0'), {what: 'confirmed', value: 'b', id: '1-0'}],
    finds: {unexpected: ['b']},
  },
  {
    name: 'a later attempt that is first in the stream',
    events: [...added('a', '2-0'), ...added('b', '1-0'), ...added('c', '3-0')],
    ending: {stream: [entry('b', '1-0'), entry('a', '2-0'), entry('c', '3-0')], group: undefined},
    finds: {outOfOrder: ['a']},
  },
  {
    name: 'an entry acknowledged that was delivered and not finished',
    events: without('succeeded', '2-0'),
    finds: {acknowledgedWithoutSuccess: ['b']},
  },
  {
    name: 'an entry that the group read and nobody was handed',
    events: without('delivered', '2-0').filter((event) => !(event.what === 'succeeded' && event.id === '2-0')),
    finds: {acknowledgedWithoutSuccess: ['b']},
  },
  {
    name: 'an entry seen acknowledged without success, trimmed since',
    events: [...without('succeeded', '2-0'), {what: 'acknowledged', id: '2-0'}],
    ending: {stream: [STREAM[0]!, STREAM[2]!]},
    finds: {lost: ['b'], acknowledgedWithoutSuccess: ['b']},
  },
  {
    name: 'one of two copies acknowledged without success of its own',
    ending: {stream: [...STREAM, entry('c', '11-0')], group: {...GROUP, lastDeliveredId: '11-0'}},
    finds: {duplicatedInStream: ['c'], acknowledgedWithoutSuccess: ['c']},
  },
  {
    name: 'an acknowledged entry that is delivered as if for the first time',
    events: [...EVENTS, {what: 'acknowledged', id: '1-0'}, delivered('a', '1-0', 1)],
    finds: {resurrected: ['a'], duplicateDeliveries: ['a']},
  },
  {
    name: 'an acknowledged entry that is delivered without a count',
    events: [...EVENTS, {what: 'acknowledged', id: '1-0'}, delivered('a', '1-0')],
    finds: {resurrected: ['a'], duplicateDeliveries: ['a']},
  },
  {
    name: 'two deliveries more than needed',
    events: [...EVENTS, delivered('a', '1-0', 2), delivered('a', '1-0', 3)],
    finds: {duplicateDeliveries: ['a', 'a']},
  },
  {
    name: 'a delivery that the group has forgotten',
    ending: {group: {...GROUP, lastDeliveredId: '2-0'}},
    finds: {unaccounted: ['c'], undelivered: ['c']},
  },
  {
    name: 'a group that is gone',
    ending: {group: undefined},
    finds: {unaccounted: ['a', 'b', 'c']},
  },
  {
    name: 'a dead letter that is still pending',
    ending: {dead: [entry('b', '2-0')], group: {...GROUP, pending: [pending('2-0', 5)]}},
    finds: {accountedTwice: ['b']},
  },
  {
    name: 'an entry that died twice',
    ending: {dead: [entry('b', '2-0'), entry('b', '2-0')]},
    finds: {accountedTwice: ['b']},
  },
  {
    name: 'an acknowledged entry that is pending again',
    events: [...EVENTS, {what: 'acknowledged', id: '2-0'}],
    ending: {group: {...GROUP, pending: [pending('2-0')]}},
    finds: {accountedTwice: ['b']},
  },
  {
    name: 'an acknowledged entry that died later',
    events: [...EVENTS, {what: 'acknowledged', id: '2-0'}],
    ending: {dead: [entry('b', '2-0')]},
    finds: {accountedTwice: ['b']},
  },
  {
    name: 'an entry seen acknowledged without success that is pending again',
    events: [...without('succeeded', '2-0'), {what: 'acknowledged', id: '2-0'}],
    ending: {group: {...GROUP, pending: [pending('2-0')]}},
    finds: {acknowledgedWithoutSuccess: ['b'], accountedTwice: ['b']},
  },
  {
    name: 'an entry seen acknowledged without success that died later',
    events: [...without('succeeded', '2-0'), {what: 'acknowledged', id: '2-0'}],
    ending: {dead: [entry('b', '2-0')]},
    finds: {accountedTwice: ['b']},
  },
  {
    name: 'a second delivery after the acknowledgement that no claim explains',
    events: [...EVENTS, {what: 'acknowledged', id: '1-0'}, delivered('a', '1-0', 2), delivered('a', '1-0', 2)],
    finds: {resurrected: ['a'], duplicateDeliveries: ['a', 'a']},
  },
  {
    name: 'an acknowledgement that the group has forgotten',
    events: [...added('a', '1-0'), {what: 'succeeded', id: '1-0'}, {what: 'acknowledged', id: '1-0'}],
    ending: {stream: [STREAM[0]!], group: {lastDeliveredId: '0-0', pending: []}},
    finds: {unaccounted: ['a'], undelivered: ['a']},
  },
  {
    name: 'an entry that the group has not read',
    events: [...EVENTS, ...added('d', '11-0')],
    ending: {stream: [...STREAM, entry('d', '11-0')]},
    finds: {undelivered: ['d']},
  },
];

const judged = ({events = EVENTS, ending = {}}: Case): Verdict => judge(events, {...ENDING, ...ending});

describe('a history that at-least-once allows', () => {
  it.each(GOOD)('$name', (one) => {
    expect(findings(judged(one))).toEqual(one.finds);
    expect(isSound(judged(one))).toBe(true);
  });
});

describe('a bad history', () => {
  it.each(BAD)('$name', (one) => {
    const verdict = judged(one);
    expect(findings(verdict)).toEqual(one.finds);
    expect(isSound(verdict)).toBe(BREACHES.every((finding) => one.finds[finding] === undefined));
  });

  it('of every kind is among these', () => {
    const found = new Set(BAD.flatMap(({finds}) => Object.keys(finds)));
    expect([...found].sort()).toEqual([...BREACHES, ...ALLOWANCES].sort());
  });
});

describe('histories made by chance', () => {
  const seeds = fc.integer({min: 0, max: 2 ** 32 - 1});

  it('are sound when nothing forbidden happened, and their duplicates are counted exactly', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const {events, ending, duplicates} = goodHistory(new SeededRandom(seed));
        const verdict = judge(events, ending);
        expect(isSound(verdict), explain(verdict)).toBe(true);
        expect(verdict.duplicatedInStream).toHaveLength(duplicates.inStream);
        expect(verdict.duplicateDeliveries).toHaveLength(duplicates.deliveries);
        expect(verdict.given).toBe(verdict.acknowledged + verdict.pending + verdict.dead);
      }),
      {numRuns: 300},
    );
  });

  it.each([...PRODUCING_CORRUPTIONS, ...CONSUMING_CORRUPTIONS])('are found out when $name', ({finding, spoil}) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new SeededRandom(seed);
        const history = goodHistory(random);
        const before = judge(history.events, history.ending)[finding].length;
        const value = spoil(history, random);
        fc.pre(value !== undefined);
        const verdict = judge(history.events, history.ending);
        expect(verdict[finding], explain(verdict)).toContain(value);
        expect(verdict[finding].length, explain(verdict)).toBeGreaterThan(before);
      }),
    );
  });
});

describe('explain', () => {
  it('says that all is well, and how the sum comes out', () => {
    expect(explain(judge(EVENTS, ENDING))).toBe(
      [
        'sound',
        'attempted 3, confirmed 3, in the stream 3',
        'handed over 3 times, finished 3',
        'delivered 3 = acknowledged 3 + pending 0 + dead 0',
      ].join('\n'),
    );
  });

  it('names what is wrong, the worst first, and not all of a long list', () => {
    const values = Array.from({length: 12}, (_, index) => `v${index}`);
    const events = values.flatMap((value, index) => added(value, `${index}-1`));
    const text = explain(judge([...events, ...finished('v0', '0-1')], {stream: [], dead: [entry('v0', '0-1')]}));
    expect(text).toBe(
      [
        'NOT SOUND',
        'attempted 12, confirmed 12, in the stream 0',
        'handed over 1 times, finished 1',
        'delivered 1 = acknowledged 0 + pending 0 + dead 1',
        '11 lost (confirmed, and neither in the stream nor dead): v1, v2, v3, v4, v5, v6, v7, v8, v9, v10 and 1 more',
      ].join('\n'),
    );
  });
});

describe('collect', () => {
  const server = serverForAll();

  it('reads the stream, the group and its dead letters from a real server', async () => {
    const {redis} = server;
    for (const value of ['a', 'b', 'c', 'd']) await redis.xadd('events', `${value.charCodeAt(0)}-1`, 'value', value);
    await redis.xadd('events', '200-1', 'other', 'value');
    await redis.xadd('events', '201-1', 'other', 'value', 'value', 'e');
    await redis.xgroup('CREATE', 'events', 'g', '97-1');
    await redis.xreadgroup('GROUP', 'g', 'w1', 'COUNT', 2, 'STREAMS', 'events', '>');
    await redis.xreadgroup('GROUP', 'g', 'w2', 'COUNT', 1, 'STREAMS', 'events', '>');
    await redis.xack('events', 'g', '98-1');
    const origin = ['_dlq_stream', 'events', '_dlq_id'];
    await redis.xadd('{events}:dead', '*', 'value', 'z', ...origin, '50-1', '_dlq_group', 'g');
    await redis.xadd('{events}:dead', '*', 'value', 'y', ...origin, '60-1', '_dlq_group', 'another');
    const ending = await collect(redis, 'events', 'g', {beganAfter: '97-1'});
    expect(ending).toEqual({
      stream: [
        entry('a', '97-1'),
        entry('b', '98-1'),
        entry('c', '99-1'),
        entry('d', '100-1'),
        entry('no value in 200-1', '200-1'),
        entry('e', '201-1'),
      ],
      group: {
        lastDeliveredId: '100-1',
        beganAfter: '97-1',
        pending: [pending('99-1'), {id: '100-1', consumer: 'w2', deliveries: 1}],
      },
      dead: [entry('z', '50-1')],
    });
    expect(acknowledgedIn(ending)).toEqual(['98-1']);
  });

  it('of a stream without that group, or of none at all, is what there is', async () => {
    await server.redis.xadd('plain', '1-1', 'value', 'a');
    expect(await collect(server.redis, 'plain', 'g')).toEqual({stream: [entry('a', '1-1')], dead: []});
    expect(await collect(server.redis, 'plain')).toEqual({stream: [entry('a', '1-1')], dead: []});
    expect(await collect(server.redis, 'missing', 'g')).toEqual({stream: [], dead: []});
    expect(acknowledgedIn(await collect(server.redis, 'plain', 'g'))).toEqual([]);
  });

  it('does not take what is no stream for an empty one', async () => {
    await server.redis.set('text', 'x');
    await expect(collect(server.redis, 'text')).rejects.toThrow('WRONGTYPE');
  });
});
