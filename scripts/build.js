// Builds both artefacts from one source: dist/npm (the npm package, for Node) and
// dist/streamlog (the executable). Does nothing when neither sources nor tools
// have changed since the last build. Types are for `npm run check`.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const STAMP_FILE = 'dist/.built-from';
const INPUTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'bin/start.js',
  'scripts/build.js',
  'scripts/bundle.js',
  'scripts/command-index.js',
  'scripts/late-requires.js',
  'scripts/licenses.js',
  'scripts/quick-start.js',
  'scripts/read-commands.js',
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const stamp = fingerprint();
const isCurrent = existsSync('dist/streamlog') && existsSync(STAMP_FILE) && readFileSync(STAMP_FILE, 'utf8') === stamp;
try {
  if (!isCurrent) build();
} catch (error) {
  process.stderr.write(`build: ${error.message}\n`);
  process.exitCode = 1;
}

/** The executable is renamed into place, since the old one may be running. */
function build() {
  rmSync(STAMP_FILE, {force: true});
  mkdirSync('dist', {recursive: true});
  run(bunProgram(), 'scripts/bundle.js');
  renameSync('dist/streamlog.new', 'dist/streamlog');
  writeFileSync(STAMP_FILE, stamp);
}

/** The bun package may have been installed without its scripts; the program itself is in a package of its own. */
function bunProgram() {
  const scope = 'node_modules/@oven';
  const names = existsSync(scope) ? readdirSync(scope) : [];
  const programs = names
    .filter((name) => name.startsWith(`bun-${process.platform}`))
    .map((name) => join(root, scope, name, 'bin/bun'));
  return programs.find((program) => existsSync(program)) ?? join(root, 'node_modules/.bin/bun');
}

/** Runs a tool, silent unless it fails. */
function run(program, ...args) {
  const {status, error, stdout, stderr} = spawnSync(program, args, {encoding: 'utf8'});
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw new Error(`${[program, ...args].join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`);
}

function fingerprint() {
  const sources = ['src', 'docs']
    .flatMap((directory) => readdirSync(directory, {recursive: true, withFileTypes: true}))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const hash = createHash('sha256');
  for (const file of [...INPUTS, ...sources.sort()])
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}
