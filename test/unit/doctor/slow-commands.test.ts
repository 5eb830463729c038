import {expect, it} from 'vitest';
import {slowCommands} from '../../../src/lib/doctor/slow-commands.js';
import {serverNode} from './server-nodes.js';

const NOW = 1_780_000_000_000;
const slow = (line: string, tookMs = 28, agoMs = 60_000) => ({atMs: NOW - agoMs, tookMs, words: line.split(' ')});
const sightings = (...log: ReturnType<typeof slow>[]) =>
  slowCommands(serverNode(), log, NOW, (key) => key === 'orders');
const commands = (...lines: string[]): unknown[] =>
  sightings(...lines.map((line) => slow(line))).map(({seen}) => seen.command);

it.each([
  ['XINFO STREAM orders FULL COUNT 0', 'XINFO STREAM … FULL'],
  ['xinfo stream orders full', 'XINFO STREAM … FULL'],
  ['XPENDING orders g IDLE 60000 - + 1', 'XPENDING … IDLE'],
  ['XPENDING orders g - + 5000', 'XPENDING … IDLE'],
  ['XRANGE orders - +', 'XRANGE'],
  ['XREVRANGE orders + - COUNT 100000', 'XREVRANGE'],
  ['XREAD STREAMS orders 0', 'XREAD'],
  ['XREADGROUP GROUP g c COUNT 50000 STREAMS orders >', 'XREADGROUP'],
  ['XAUTOCLAIM orders g c 0 0 COUNT 10000', 'XAUTOCLAIM'],
  ['XTRIM orders MAXLEN 10', 'XTRIM'],
  ['COPY orders orders2', 'COPY'],
  ['DUMP orders', 'DUMP'],
])('%s: %s', (line, expected) => {
  expect(commands(line)).toEqual([expected]);
});

it.each([
  'XINFO STREAM orders',
  'XINFO GROUPS orders',
  // Where there are too many consumers, that is a finding of its own; where there are few, the machine was busy.
  'XINFO CONSUMERS orders g',
  'XTRIM orders MAXLEN ~ 1000 LIMIT 100',
  'XPENDING orders g',
  'XPENDING orders g - + 100',
  'XRANGE orders - + COUNT 1000',
  'XREADGROUP GROUP g c COUNT 100 BLOCK 0 STREAMS orders >',
  'XAUTOCLAIM orders g c 0 0',
  'XADD orders * payload secret',
  'COPY a-hash another',
  'DUMP a-hash',
  'GET orders',
  'EVALSHA 1234 1 orders',
])('%s: nothing', (line) => {
  expect(commands(line)).toEqual([]);
});

it('counts each command once, with the slowest and the streams', () => {
  const found = sightings(
    slow('XRANGE orders - +', 28),
    slow('XRANGE mail - +', 45.4),
    slow('XRANGE orders - + COUNT 20000', 6),
    // Too quick, and too long ago.
    slow('XRANGE other - +', 5),
    slow('XRANGE other - +', 99, 86_400_001),
  );
  expect(found).toHaveLength(1);
  expect(found[0]!.seen).toEqual({command: 'XRANGE', times: 3, slowestMs: 45.4, streams: ['orders', 'mail']});
  expect(found[0]!.what).toBe('XRANGE took up to 45 ms, 3 times in the last day, of orders and mail');
});

it('shows nothing of a command but the name of its stream', () => {
  const [found] = sightings(
    slow('XREAD BLOCK 5 STREAMS orders secret-1 secret-2 ... (40 more arguments)'.replace('...', '...')),
  );
  expect(JSON.stringify(sightings(slow('XRANGE orders secret secret')))).not.toContain('secret');
  expect(found!.seen.command).toBe('XREAD');
});
