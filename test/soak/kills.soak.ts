/**
 * The whole soak: `npm run test:soak`, some minutes. Prints its seed, which
 * STREAMLOG_SEED gives back, and what it found; a slice of it is in npm test.
 */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {ALLOWANCES, explain, isSound, type Verdict} from '../faults/support/verdict.js';
import {killServer} from './server-kills.js';
import {killWorkers} from './worker-kills.js';

const WORKER_KILLS = 200;
const SERVER_KILLS = 50;

function sound(name: string, verdict: Verdict): void {
  const allowed = ALLOWANCES.map((finding) => `${finding} ${verdict[finding].length}`).join(', ');
  process.stderr.write(`${name}: ${explain(verdict)}\n${allowed}\n`);
  expect(isSound(verdict), explain(verdict)).toBe(true);
  expect(verdict.pending).toBe(0);
  expect(verdict.undelivered).toEqual([]);
}

it.each(['exec', 'append'] as const)(`F32: ${WORKER_KILLS} kills of the worker (%s)`, async (work) => {
  const name = `worker kills, ${work}`;
  sound(name, await killWorkers(seededRandom(name), {work, kills: WORKER_KILLS}));
});

it.each(['always', 'everysec'] as const)(`${SERVER_KILLS} kills of redis-server (appendfsync %s)`, async (fsync) => {
  const name = `server kills, ${fsync}`;
  sound(name, await killServer(seededRandom(name), {fsync, kills: SERVER_KILLS}));
});
