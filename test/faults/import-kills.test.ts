/** A slice of the soak (test/soak): whatever is killed, an imported stream is whole or not there. */
import {expect, it} from 'vitest';
import {killImport} from '../soak/import-kills.js';
import {seededRandom} from './support/seed.js';

it('F32: kill -9 of an import, again and again: the next run makes the stream whole', async () => {
  const {killed, ...found} = await killImport(seededRandom('import kills'), {kills: 8, entries: 8_000});
  expect(killed).toBeGreaterThanOrEqual(8);
  expect(found).toEqual({resumed: expect.any(Number), whole: true, left: 0});
});
