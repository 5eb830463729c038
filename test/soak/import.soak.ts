/** The whole soak of `import`: prints its seed, which STREAMLOG_SEED gives back. */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {serverPrograms} from '../support/redis-server.js';
import {killImport} from './import-kills.js';

it.each(serverPrograms())('F32: 50 kills of import, on $name', async ({name, program}) => {
  const found = await killImport(seededRandom(`import kills, ${name}`), {kills: 50, entries: 60_000, program});
  process.stderr.write(`import kills, ${name}: ${JSON.stringify(found)}\n`);
  expect(found).toMatchObject({whole: true, left: 0});
  expect(found.resumed).toBeGreaterThan(5);
});
