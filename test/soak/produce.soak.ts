/** Producing, at length: `npm run test:soak`. Slices of it are in test/faults/produce-kills.test.ts. */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {cutProduce} from './produce-cuts.js';
import {killProduce} from './produce-kills.js';

const LINES = 1_000_000;
const KILLS = 100;

it.each([true, false])(`F32: ${KILLS} kills in the course of one import (exactly once: %s)`, async (exactlyOnce) => {
  const name = `produce kills, exactly once: ${exactlyOnce}`;
  const {killed, ...found} = await killProduce(seededRandom(name), {kills: KILLS, lines: LINES, exactlyOnce});
  process.stderr.write(`${name}: killed ${killed}, ${JSON.stringify(found)}\n`);
  expect(killed).toBeGreaterThan(KILLS / 2);
  expect(found).toMatchObject({missing: 0, outOfOrder: 0});
  if (exactlyOnce) expect(found).toMatchObject({entries: LINES, twice: 0});
});

it(`${LINES} lines through connections that are cut, each in the stream once`, async () => {
  const name = 'produce cuts';
  const {cuts, ...found} = await cutProduce(seededRandom(name), {lines: LINES, entriesPerCut: 10_000});
  process.stderr.write(`${name}: ${cuts} cuts, ${JSON.stringify(found)}\n`);
  expect(cuts).toBeGreaterThan(20);
  expect(found).toEqual({entries: LINES, missing: 0, twice: 0, outOfOrder: 0});
});
