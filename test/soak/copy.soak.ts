/** Mirrors, at length: `npm run test:soak`. Slices of it are in test/faults/copy.test.ts. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {type CopyScene, cutCopy, startCopyScene} from './copy-cuts.js';

const RUNS = 200;
/** Some seconds each. */
const LIMIT_MS = 60 * 60_000;

let scene: CopyScene;
beforeAll(async () => {
  scene = await startCopyScene();
});
afterAll(() => scene?.stop());

it.each([
  ['their IDs', []],
  ['new IDs', ['--new-ids']],
] as const)(
  `${RUNS} mirrors with %s through cuts on both sides and kills, each the same as its source`,
  async (ids, flags) => {
    let cuts = 0;
    for (let n = 0; n < RUNS; n++) {
      const random = seededRandom(`copy with ${ids} ${n}`);
      const found = await cutCopy(random, scene, {entries: 10_000, cuts: 40, kills: 4, trims: n % 2 === 0, flags});
      cuts += found.cuts;
      expect(found, `run ${n}`).toMatchObject({lost: 0, twice: 0, different: 0, outOfOrder: 0});
    }
    process.stderr.write(`copy with ${ids}: ${RUNS} runs, ${cuts} cuts\n`);
    expect(cuts).toBeGreaterThan(RUNS * 5);
  },
  LIMIT_MS,
);
