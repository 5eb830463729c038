/** A slice of the soak (test/soak): whatever is killed, nothing is lost, and nothing is acknowledged that was not done. */
import {expect, it} from 'vitest';
import {killServer} from '../soak/server-kills.js';
import {killWorkers} from '../soak/worker-kills.js';
import {seededRandom} from './support/seed.js';
import {explain, isSound, type Verdict} from './support/verdict.js';

function sound(verdict: Verdict): void {
  expect(isSound(verdict), explain(verdict)).toBe(true);
  expect(verdict.pending).toBe(0);
  expect(verdict.undelivered).toEqual([]);
}

it('F32: kill -9 of a worker with handlers', async () => {
  sound(await killWorkers(seededRandom('worker kills, exec'), {work: 'exec', kills: 8}));
});

it('F32: kill -9 of a worker that appends to a file', async () => {
  sound(await killWorkers(seededRandom('worker kills, append'), {work: 'append', kills: 8}));
});

it('F6: kill -9 of redis-server while a worker with handlers goes on', async () => {
  sound(await killServer(seededRandom('server kills'), {fsync: 'always', kills: 3}));
});
