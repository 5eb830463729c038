/** The whole soak of `archive`: prints its seed, which STREAMLOG_SEED gives back. */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {serverPrograms} from '../support/redis-server.js';
import {killArchive} from './archive-kills.js';

it.each(serverPrograms())('F32: 100 kills of archive, on $name', async ({name, program}) => {
  const found = await killArchive(seededRandom(`archive kills, ${name}`), {kills: 100, mostMs: 8_000, program});
  process.stderr.write(`archive kills, ${name}: ${JSON.stringify(found)}\n`);
  expect(found).toMatchObject({killed: 100, lost: 0, twice: 0, outOfOrder: 0, bad: 0, passed: 0});
  expect(found.files).toBeGreaterThan(10);
});
