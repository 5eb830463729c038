import {describe, expect, it} from 'vitest';
import {EntryIds} from '../../../src/lib/records/entry-ids.js';
import * as args from '../../../src/lib/redis/args.js';
import type {CommandLine} from '../../../src/lib/redis/command-connection.js';

const member = {stream: 's', group: 'g', consumer: 'c'};
const maxLen = {kind: 'maxLen', maxLen: 9, approximate: false} as const;
const minId = {kind: 'minId', minId: '5-0', approximate: true} as const;

/** One line a case: what Redis is to read, and the call that says it. No argument here holds a space. */
const CASES: [line: string, built: CommandLine][] = [
  ['xtrim s MAXLEN = 9', args.xtrim('s', maxLen)],
  ['xtrim s MAXLEN ~ 9', args.xtrim('s', {...maxLen, approximate: true})],
  ['xtrim s MAXLEN = 0', args.xtrim('s', {...maxLen, maxLen: 0})],
  ['xtrim s MINID ~ 5-0', args.xtrim('s', minId)],
  ['xlen s', args.xlen('s')],
  ['xdel s 1-0 2-0', args.xdel('s', ['1-0', '2-0'])],
  ['xrange s (1-0 9-0 COUNT 7', args.xrange('s', '(1-0', '9-0', 7)],
  ['xrevrange s 9-0 1-0 COUNT 7', args.xrevrange('s', '9-0', '1-0', 7)],
  ['xread COUNT 7 STREAMS s 1-0', args.xread('s', '1-0', 7, undefined)],
  ['xread COUNT 7 BLOCK 500 STREAMS s $', args.xread('s', '$', 7, 500)],
  ['xreadgroup GROUP g c COUNT 7 STREAMS s >', args.xreadgroup(member, '>', {count: 7})],
  ['xreadgroup GROUP g c COUNT 7 BLOCK 500 STREAMS s >', args.xreadgroup(member, '>', {count: 7, blockMs: 500})],
  ['xreadgroup GROUP g c COUNT 7 NOACK STREAMS s >', args.xreadgroup(member, '>', {count: 7, noAck: true})],
  ['xreadgroup GROUP g c COUNT 7 STREAMS s 0-0', args.xreadgroup(member, '0-0', {count: 7})],
  ['xack s g 1-0 2-0', args.xack('s', 'g', EntryIds.of(['1-0', '2-0']))],
  ['xpending s g', args.xpending('s', 'g')],
  ['xpending s g - + 7', args.xpendingRange('s', 'g', '-', '+', 7)],
  ['xpending s g - + 7 c', args.xpendingRange('s', 'g', '-', '+', 7, 'c')],
  ['xclaim s g c 500 1-0 2-0', args.xclaim(member, 500, ['1-0', '2-0'])],
  ['xgroup CREATE s g $', args.xgroupCreate('s', 'g', '$', false)],
  ['xgroup CREATE s g 0-0 MKSTREAM', args.xgroupCreate('s', 'g', '0-0', true)],
  ['xgroup CREATE s g 0-0 MKSTREAM ENTRIESREAD 0', args.xgroupCreate('s', 'g', '0-0', true, 0)],
  ['xgroup SETID s g 5-0', args.xgroupSetId('s', 'g', '5-0')],
  ['xgroup SETID s g 5-0 ENTRIESREAD 3', args.xgroupSetId('s', 'g', '5-0', 3)],
  ['xgroup DESTROY s g', args.xgroupDestroy('s', 'g')],
  ['xinfo STREAM s', args.xinfoStream('s')],
  ['xinfo GROUPS s', args.xinfoGroups('s')],
  ['xinfo CONSUMERS s g', args.xinfoConsumers('s', 'g')],
  ['memory USAGE s', args.memoryUsage('s')],
  ['scan 0 COUNT 7 TYPE stream', args.scanStreams('0', undefined, 7)],
  ['scan 42 MATCH a* COUNT 7 TYPE stream', args.scanStreams('42', 'a*', 7)],
];

describe('command lines', () => {
  it.each(CASES)('%s', (line, built) => {
    const words = built.map((word) => (word instanceof EntryIds ? word.texts.join(' ') : word));
    expect(words.join(' ')).toBe(line);
  });
});

it.each([
  ['', {}],
  ['NOMKSTREAM', {create: false}],
  ['MAXLEN = 9', {trim: maxLen}],
  ['NOMKSTREAM MINID ~ 5-0', {create: false, trim: minId}],
])('between the key and the ID of an XADD stands "%s"', (clause, options) => {
  expect(args.addClause(options).join(' ')).toBe(clause);
});

// BLOCK 0 waits for ever.
it.each([undefined, 0, -1])('does not block for %s ms', (blockMs) => {
  expect(args.xread('s', '$', 1, blockMs)).not.toContain('BLOCK');
  expect(args.xreadgroup(member, '>', {count: 1, blockMs})).not.toContain('BLOCK');
});

it('rounds a part of a millisecond up, so that a short wait does not become an endless one', () => {
  expect(args.xread('s', '$', 1, 0.2).join(' ')).toContain('BLOCK 1 ');
});
