/** `copy` through cuts, kills, failovers and refusals, on both sides; test/soak/copy.soak.ts has more of each. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type CopyScene, cutCopy, startCopyScene} from '../soak/copy-cuts.js';
import {seededRandom} from './support/seed.js';

let scene: CopyScene;
beforeAll(async () => {
  scene = await startCopyScene();
});
afterAll(() => scene?.stop());

const GOOD = {lost: 0, foreign: 0, different: 0, outOfOrder: 0};

describe('a mirror', () => {
  it.each([1, 2, 3, 4])('F1 F2 F3 F32: has each entry once and in order, through cuts and kills (%i)', async (n) => {
    const random = seededRandom(`copy ${n}`);
    const found = await cutCopy(random, scene, {entries: 8_000, cuts: 25, kills: 2, trims: n % 2 === 0});
    expect(found).toMatchObject(GOOD);
    expect(found.cuts).toBeGreaterThan(5);
  });
});
