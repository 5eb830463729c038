// Builds both artefacts from one source: dist/js (compiled JavaScript and its
// manifest, for the npm package) and dist/streamlog (the executable). Does
// nothing when neither sources nor tools have changed since the last build.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const require = createRequire(import.meta.url);
const stampFile = 'dist/.built-from';

const stamp = fingerprint();
if (existsSync('dist/streamlog') && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  process.exit(0);
}
rmSync(stampFile, {force: true});
rmSync('dist/js', {recursive: true, force: true});
mkdirSync('dist', {recursive: true});

run(process.execPath, [join(dirname(require.resolve('typescript/package.json')), 'bin/tsc'), '-p', 'tsconfig.json']);
await writeManifest();
compile();
writeFileSync(stampFile, stamp);

/** What help and lookup need to know of each command, so that they need not load any. */
async function writeManifest() {
  const {Plugin} = await import('@oclif/core');
  const pjson = JSON.parse(readFileSync('package.json', 'utf8'));
  const {commandTable} = await import(pathToFileURL(join(root, 'dist/js/command-table.js')));
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  const {commands} = plugin.manifest;
  const missing = Object.keys(commands).filter((id) => !Object.hasOwn(commandTable, id));
  if (missing.length > 0) throw new Error(`src/command-table.ts lacks: ${missing.join(', ')}`);
  for (const command of Object.values(commands)) delete command.relativePath;
  const {name, version, description, oclif} = pjson;
  const manifest = {pjson: {name, version, description, oclif: {...oclif, commands: undefined}}, commands};
  writeFileSync('dist/js/manifest.js', `export const manifest = ${JSON.stringify(manifest, undefined, 1)};\n`);
}

/** The executable: bytecode, so that starting it parses nothing. Renamed into place, since the old one may be running. */
function compile() {
  run(bunProgram(), [
    'build',
    'bin/run.js',
    '--compile',
    '--bytecode',
    '--minify-syntax',
    '--format=cjs',
    '--outfile',
    'dist/streamlog.new',
  ]);
  renameSync('dist/streamlog.new', 'dist/streamlog');
}

/** The bun package may have been installed without its scripts; the program itself is in a package of its own. */
function bunProgram() {
  const scope = join(root, 'node_modules/@oven');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const program = join(scope, name, 'bin/bun');
    if (name.startsWith(`bun-${process.platform}`) && existsSync(program)) return program;
  }
  return join(root, 'node_modules/.bin/bun');
}

function run(program, args) {
  execFileSync(program, args, {
    stdio: ['ignore', process.env.CI || process.env.VERBOSE ? 'inherit' : 'pipe', 'inherit'],
  });
}

function fingerprint() {
  const hash = createHash('sha256');
  const files = readdirSync('src', {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const file of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'bin/run.js',
    'scripts/build.js',
    ...files.sort(),
  ]) {
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}
