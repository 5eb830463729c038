/**
 * `produce --follow` under a log that real logrotate rotates: whatever is killed, no line is lost, and --exactly-once adds none twice.
 * A slice of what the soak does (follow.soak.ts); each has a server of its own and mostly waits, so they run side by side.
 */
import {describe, expect, it} from 'vitest';
import {killFollower} from '../soak/follow-kills.js';
import {RUNTIMES} from '../support/run-cli.js';
import {seededRandom} from './support/seed.js';

const [executable, node] = RUNTIMES;

describe.concurrent.each(['create', 'copytruncate'] as const)('%s', (rotation) => {
  it.each([
    {runtime: executable!, kills: 16},
    {runtime: node!, kills: 6},
  ])('F32: $kills kills of $runtime.0: --exactly-once has each line once, in order', async ({runtime, kills}) => {
    const [name, command] = runtime;
    const random = seededRandom(`follow kills, once, ${rotation}, ${name}`);
    const {lines, rotations, ...found} = await killFollower(random, {command, rotation, kills, exactlyOnce: true});
    expect(rotations).toBeGreaterThan(3);
    expect(found).toEqual({entries: lines, missing: 0, twice: 0, outOfOrder: 0});
  });

  it('F32: without it, each line is there at least once', async () => {
    const random = seededRandom(`follow kills, plain, ${rotation}`);
    const options = {command: executable![1], rotation, kills: 8, exactlyOnce: false};
    const {lines, entries, twice, ...found} = await killFollower(random, options);
    expect(found).toMatchObject({missing: 0, outOfOrder: 0});
    expect(entries).toBe(lines + twice);
  });
});
