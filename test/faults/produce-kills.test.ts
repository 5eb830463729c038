/** A slice of the soak (test/soak): whatever is killed or cut, nothing is lost, and --exactly-once adds nothing twice. */
import {expect, it} from 'vitest';
import {cutProduce} from '../soak/produce-cuts.js';
import {killProduce} from '../soak/produce-kills.js';
import {seededRandom} from './support/seed.js';

it.concurrent('F32: kill -9 of an import, again and again: --resume --exactly-once has each line once, in order', async () => {
  const options = {kills: 10, lines: 40_000, exactlyOnce: true};
  const {killed, ...found} = await killProduce(seededRandom('produce kills, once'), options);
  expect(killed).toBeGreaterThan(5);
  expect(found).toEqual({entries: 40_000, missing: 0, twice: 0, outOfOrder: 0});
});

it.concurrent('F32: kill -9 of an import, again and again: --resume loses nothing', async () => {
  const options = {kills: 6, lines: 40_000, exactlyOnce: false};
  const {killed, ...found} = await killProduce(seededRandom('produce kills, plain'), options);
  expect(killed).toBeGreaterThan(2);
  expect(found).toMatchObject({missing: 0, outOfOrder: 0});
});

it.concurrent('F1: connections that are cut at any byte: --exactly-once has each line once, in order', async () => {
  const {cuts, ...found} = await cutProduce(seededRandom('produce cuts'), {lines: 100_000, entriesPerCut: 8_000});
  expect(cuts).toBeGreaterThan(3);
  expect(found).toEqual({entries: 100_000, missing: 0, twice: 0, outOfOrder: 0});
});
