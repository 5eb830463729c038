/** A slice of the soak (test/soak): whatever is killed, the files together are the stream. */
import {expect, it} from 'vitest';
import {killArchive} from '../soak/archive-kills.js';
import {seededRandom} from './support/seed.js';

it('F32: kill -9 of an archive, again and again: each entry is on disk once, and none was trimmed before', async () => {
  const found = await killArchive(seededRandom('archive kills'), {kills: 8, mostMs: 1_500});
  expect(found).toMatchObject({killed: 8, lost: 0, twice: 0, outOfOrder: 0, bad: 0, passed: 0});
});
