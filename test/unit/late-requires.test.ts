/** What the build changes in packages must not change what they do. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';

/** Of the build, which is no TypeScript. */
const SCRIPT = '../../scripts/late-requires.js';
const {requireLate}: {requireLate(text: string): string} = await import(SCRIPT);

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
});

afterEach(() => rmSync(directory, {recursive: true}));

it('loads a required module once, when it is first used', () => {
  const module = load(`
const other_1 = require("./other");
exports.read = () => [(0, other_1.word)(), new other_1.Thing().word, ...[1].map(() => other_1.loads())];`);
  const other = createRequire(join(directory, 'x.js'))('./log') as string[];
  expect(other).toEqual([]);
  expect(module.read()).toEqual(['word', 'thing', 1]);
  expect(module.read()).toEqual(['word', 'thing', 1]);
});

it('passes on what a module exports of another', () => {
  const module = load(`
exports.Other = void 0;
const __importStar = (other) => ({...other, star: true});
exports.Other = __importStar(require("./other"));
var other_1 = require("./other");
Object.defineProperty(exports, "word", { enumerable: true, get: function () { return other_1.word; } });`);
  expect(module.Other).toMatchObject({star: true});
  expect(module.word()).toBe('word');
});

it('leaves other modules as they are', () => {
  const text = "import a from 'a';\nconst b = require('b');\n  const c_1 = require(\"c\");\n";
  expect(requireLate(text)).toBe(text);
});

// biome-ignore lint/suspicious/noExplicitAny: what a module exports is its own affair
function load(text: string): any {
  writeFileSync(join(directory, 'log.js'), 'module.exports = [];');
  writeFileSync(
    join(directory, 'other.js'),
    `const log = require('./log'); log.push('loaded');
exports.word = () => 'word'; exports.Thing = class { word = 'thing'; }; exports.loads = () => log.length;`,
  );
  writeFileSync(join(directory, 'module.js'), requireLate(text));
  return createRequire(join(directory, 'x.js'))('./module');
}
