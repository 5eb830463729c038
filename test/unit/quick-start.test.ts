/** What the build changes in chunks for Node must not change what they do. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect, it} from 'vitest';

/** Of the build, which is no TypeScript. */
const SCRIPT = '../../scripts/quick-start.js';
const {withPlainBuiltins}: {withPlainBuiltins(text: string): string} = await import(SCRIPT);

it('takes modules of Node as they are, under the same names', async () => {
  const text = withPlainBuiltins(`import { join as put, sep } from "node:path";
import * as all from "os";
import process from "node:process";
export const found = [put("a", "b"), sep, all.EOL, process === globalThis.process];
`);
  expect(text).not.toMatch(/^import/m);
  expect(text.split('\n')).toHaveLength(5);
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  const file = join(directory, 'chunk.mjs');
  writeFileSync(file, text);
  const {found} = (await import(pathToFileURL(file).href)) as {found: unknown};
  expect(found).toEqual(['a/b', '/', '\n', true]);
  rmSync(directory, {recursive: true});
});

it('leaves other imports as they are', () => {
  const text = 'import { a } from "./start-1.js";\nimport "./start-2.js";\nconst b = "import c from \\"fs\\";";\n';
  expect(withPlainBuiltins(text)).toBe(text);
});
