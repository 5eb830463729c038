import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeName} from '../../../src/lib/records/names.js';
import type {Reply} from '../../../src/lib/redis/command-connection.js';
import {readScan} from '../../../src/lib/redis/key-scan.js';
import * as replies from '../../../src/lib/redis/replies.js';
import {bytes, fields} from '../arbitraries.js';

/** A reply as ioredis hands it over: strings as bytes, all else as it is. */
type Written = string | Buffer | number | null | Written[];
function reply(value: Written): Reply {
  if (typeof value === 'string') return Buffer.from(value);
  return Array.isArray(value) ? value.map(reply) : value;
}

const FIRST = ['1-0', ['a', '1']] satisfies Written;
const SECOND = ['2-0', ['b', '2', 'b', '3']] satisfies Written;
const first = {id: '1-0', fields: [['a', '1']]};
const second = {
  id: '2-0',
  fields: [
    ['b', '2'],
    ['b', '3'],
  ],
};

describe('entries', () => {
  it('come in their order, with repeated fields', () => {
    expect(replies.readEntries(reply([FIRST, SECOND]))).toEqual([first, second]);
    expect(replies.readEntries(reply([]))).toEqual([]);
    expect(replies.readEntries(null)).toEqual([]);
  });

  it('that XCLAIM of Redis 6.2 found deleted are left out', () => {
    expect(replies.readEntries(reply([null, SECOND, null]))).toEqual([second]);
  });

  it('hold text where it is UTF-8 and bytes where it is not', () => {
    const raw = Buffer.from([0xff, 0x00]);
    const [entry] = replies.readEntries(reply([['1-0', ['größe', '🙂', raw, raw]]]));
    expect(entry!.fields).toEqual([
      ['größe', '🙂'],
      [raw, raw],
    ]);
  });

  it('hold every field that was added', () => {
    fc.assert(
      fc.property(fields, (pairs) => {
        const flat = pairs.flat().map((part) => Buffer.from(part as string));
        expect(replies.readEntries([[Buffer.from('1-0'), flat]])).toEqual([{id: '1-0', fields: pairs}]);
      }),
    );
  });
});

describe('XREAD and XREADGROUP', () => {
  it('without anything in time are empty', () => {
    expect(replies.readHistory(null)).toEqual([]);
    expect(replies.readNewEntries(null)).toEqual([]);
  });

  it('with `>` give entries', () => {
    expect(replies.readNewEntries(reply([['s', [FIRST, SECOND]]]))).toEqual([first, second]);
  });

  it('with an ID give the history, in which a deleted entry has no fields', () => {
    expect(replies.readHistory(reply([['s', [FIRST, ['2-0', null]]]]))).toEqual([
      first,
      {id: '2-0', fields: undefined},
    ]);
    expect(replies.readHistory(reply([['s', []]]))).toEqual([]);
  });
});

describe('XPENDING', () => {
  it('sums up, with counts that Redis sends as text', () => {
    const written = [3, '1-0', '9-0', [['w1', '2'], ['w2', '1']]] satisfies Written; // biome-ignore format: one line, as Redis shows it
    expect(replies.readPendingSummary(reply(written))).toEqual({
      count: 3,
      lowestId: '1-0',
      highestId: '9-0',
      consumers: [
        {name: 'w1', count: 2},
        {name: 'w2', count: 1},
      ],
    });
  });

  it('of nothing has neither IDs nor consumers', () => {
    const nothing = {count: 0, lowestId: undefined, highestId: undefined, consumers: []};
    expect(replies.readPendingSummary(reply([0, null, null, null]))).toEqual(nothing);
    expect(replies.readPendingSummary(reply([0, null, null, []]))).toEqual(nothing);
  });

  it('with a range lists entries', () => {
    expect(replies.readPendingEntries(reply([['1-0', 'w1', 500, 2]]))).toEqual([
      {id: '1-0', consumer: 'w1', idleMs: 500, deliveries: 2, givenBack: false},
    ]);
    expect(replies.readPendingEntries(reply([]))).toEqual([]);
  });
});

/** Name and value pairs as a flat reply, in this order. */
const flat = (map: Record<string, Written>): Reply => reply(Object.entries(map).flat() as Written[]);
const shuffledMap = (map: Record<string, Written>): fc.Arbitrary<Reply> => {
  const pairs = Object.entries(map);
  return fc.shuffledSubarray(pairs, {minLength: pairs.length}).map((order) => reply(order.flat() as Written[]));
};

const STREAM_6_2: Record<string, Written> = {
  length: 2,
  'radix-tree-keys': 1,
  'radix-tree-nodes': 2,
  'last-generated-id': '2-0',
  groups: 1,
  'first-entry': FIRST,
  'last-entry': SECOND,
};
const STREAM_7_0: Record<string, Written> = {
  ...STREAM_6_2,
  'max-deleted-entry-id': '0-0',
  'entries-added': 5,
  'recorded-first-entry-id': '1-0',
};

describe('XINFO STREAM', () => {
  const known = {
    length: 2,
    lastGeneratedId: '2-0',
    firstEntry: first,
    lastEntry: second,
    groups: 1,
    nodes: 1,
    treeNodes: 2,
  };

  it('of Redis 6.2 leaves open what it does not count', () => {
    expect(replies.readStreamInfo(flat(STREAM_6_2))).toEqual({
      ...known,
      entriesAdded: undefined,
      maxDeletedId: undefined,
    });
  });

  it('since Redis 7.0 counts what was added, in whatever order and company it comes', () => {
    fc.assert(
      fc.property(shuffledMap({...STREAM_7_0, 'iids-duplicates': 0, 'a-name-to-come': ['x', null]}), (map) => {
        expect(replies.readStreamInfo(map)).toEqual({...known, entriesAdded: 5, maxDeletedId: '0-0'});
      }),
    );
  });

  it('of an empty stream has no entries', () => {
    const empty = flat({...STREAM_7_0, length: 0, 'entries-added': 0, 'first-entry': null, 'last-entry': null});
    expect(replies.readStreamInfo(empty)).toMatchObject({
      length: 0,
      entriesAdded: 0,
      firstEntry: undefined,
      lastEntry: undefined,
    });
  });
});

describe('XINFO GROUPS', () => {
  const GROUP_6_2: Record<string, Written> = {name: 'g', consumers: 1, pending: 2, 'last-delivered-id': '1-0'};
  const known = {name: 'g', consumers: 1, pending: 2, lastDeliveredId: '1-0'};

  it('of Redis 6.2 has neither lag nor entries read', () => {
    expect(replies.readGroups([flat(GROUP_6_2)])).toEqual([{...known, entriesRead: undefined, lag: undefined}]);
  });

  it('since Redis 7.0 has both, zero included, in any order', () => {
    fc.assert(
      fc.property(shuffledMap({...GROUP_6_2, 'entries-read': 5, lag: 0}), (map) => {
        expect(replies.readGroups([map])).toEqual([{...known, entriesRead: 5, lag: 0}]);
      }),
    );
  });

  it('says nil where Redis has lost count, which is not zero', () => {
    const lost = flat({...GROUP_6_2, 'entries-read': null, lag: null});
    expect(replies.readGroups([lost])).toEqual([{...known, entriesRead: undefined, lag: undefined}]);
  });

  it('may be none', () => expect(replies.readGroups([])).toEqual([]));
});

describe('XINFO CONSUMERS', () => {
  it('before Redis 7.2 does not say when a consumer last got something', () => {
    expect(replies.readConsumers([flat({name: 'w1', pending: 2, idle: 500})])).toEqual([
      {name: 'w1', pending: 2, idleMs: 500, inactiveMs: undefined},
    ]);
  });

  it('since Redis 7.2 does, with -1 for never', () => {
    fc.assert(
      fc.property(shuffledMap({name: 'w1', pending: 0, idle: 500, inactive: -1}), (map) => {
        expect(replies.readConsumers([map])).toEqual([{name: 'w1', pending: 0, idleMs: 500, inactiveMs: -1}]);
      }),
    );
  });
});

it('reads a page of SCAN: where to go on, and keys of any bytes', () => {
  fc.assert(
    fc.property(fc.array(bytes), (keys) => {
      const page = [Buffer.from('42'), keys.map((key) => Buffer.from(key as string))];
      const read = readScan(page);
      expect(read.cursor).toBe('42');
      expect(read.keys.map(encodeName)).toEqual(keys);
    }),
  );
});
