/** Kills of `produce --follow` by the hundred, while real logrotate rotates its log; a slice of it is in npm test (follow-kills.test.ts). */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {RUNTIMES} from '../support/run-cli.js';
import {killFollower} from './follow-kills.js';

const KILLS = 100;
const CASES = (['create', 'copytruncate'] as const).flatMap((rotation) =>
  RUNTIMES.flatMap(([name, command]) => [true, false].map((exactlyOnce) => ({rotation, name, command, exactlyOnce}))),
);

it.each(CASES)(`F32: ${KILLS} kills, $rotation, $name, exactly once: $exactlyOnce`, async ({name, ...options}) => {
  const random = seededRandom(`follow kills, ${options.rotation}, ${name}, ${options.exactlyOnce}`);
  const {lines, rotations, entries, twice, ...found} = await killFollower(random, {...options, kills: KILLS});
  expect(rotations).toBeGreaterThan(3);
  expect(found).toEqual({missing: 0, outOfOrder: 0});
  expect(entries).toBe(lines + twice);
  if (options.exactlyOnce) expect(twice).toBe(0);
});
