import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {FINDING_KINDS} from '../../../src/lib/doctor/finding-kinds.js';

it('are listed in the manual as doctor --list prints them', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/observing.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (D\d\d) \| (.*) \| (.*) \| (.*) \|$/gm)].map((cells) => cells.slice(1));
  expect(rows).toEqual(Object.entries(FINDING_KINDS).map(([id, {level, name, when}]) => [id, level, name, when]));
});

it('have names of their own, which --only takes', () => {
  const names = Object.values(FINDING_KINDS).map(({name}) => name);
  expect(new Set(names).size).toBe(names.length);
});
