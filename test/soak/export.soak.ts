/** kill -9 of `export` at 50 points, and of one that compresses, in both runtimes; a slice of it is in npm test. */
import {expect, it} from 'vitest';
import {seededRandom} from '../faults/support/seed.js';
import {RUNTIMES} from '../support/run-cli.js';
import {killExport} from './export-kills.js';

it.each(RUNTIMES)('F32: 50 kills of export, by %s', async (runtime, command) => {
  const kills = {command, file: 'F', entries: 100_000, valueBytes: 60, kills: 50};
  const {found, expected, advanced} = await killExport(seededRandom(`export kills, ${runtime}`), kills);
  process.stderr.write(`export, ${runtime}: ${advanced} kills left more than the ones before\n`);
  expect(found).toEqual(expected);
});

it.each(RUNTIMES)('F32: 10 kills of export --gzip over several members, by %s', async (runtime, command) => {
  const kills = {command, file: 'F.gz', entries: 3_000, valueBytes: 100_000, kills: 10};
  const {found, expected, advanced} = await killExport(seededRandom(`export kills, gzip, ${runtime}`), kills);
  process.stderr.write(`export --gzip, ${runtime}: ${advanced} kills left more than the ones before\n`);
  expect(found).toEqual(expected);
});
