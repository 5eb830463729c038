// Run by Bun: makes both artefacts of bin/start.js and all that it imports,
// dist/npm (for Node, docs/adr/0009) and the executable dist/streamlog.new, and
// writes dist/man and dist/manifest.json, from which tests learn what commands there are.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {manPages} from '../src/lib/cli/man-page.ts';
import {commandIndex, plainIndex} from './command-index.js';
import {lateRequires} from './late-requires.js';
import {licensesOf} from './licenses.js';
import {loadedTogether, PACKAGES_APART, packagesApart, withPlainBuiltins} from './quick-start.js';
import {readCommands, readPackage, readTopics} from './read-commands.js';

const commands = await readCommands();
const pjson = readPackage();
const topics = readTopics();
const manifest = {pjson, commands: Object.fromEntries(commands.map(({id, facts}) => [id, facts]))};
writeFileSync('dist/manifest.json', JSON.stringify(manifest, undefined, 1));

const settings = {
  entrypoints: ['bin/start.js'],
  // Names and line breaks stay, so that a stack can be read.
  minify: {syntax: true},
  // The check reads the package.json of oclif, which is in no artefact.
  // Where a package was at build time means nothing where it runs.
  define: {'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"', __dirname: '"/"', __filename: '"/"'},
  plugins: [commandIndex(pjson, commands, topics), lateRequires],
};

rmSync('dist/man', {recursive: true, force: true});
mkdirSync('dist/man');
for (const {name, roff} of await manPages(plainIndex(pjson, commands, topics)))
  writeFileSync(`dist/man/${name}.1`, roff);

rmSync('dist/npm', {recursive: true, force: true});
const forNode = {...settings, target: 'node', outdir: 'dist/npm', metafile: true};
const chunks = await bundle({
  ...forNode,
  plugins: [...settings.plugins, packagesApart, loadedTogether],
  format: 'esm',
  splitting: true,
  sourcemap: 'linked',
  naming: {entry: '[name].js', chunk: '[name]-[hash].js'},
});
const apart = await Promise.all(
  PACKAGES_APART.map((name) => bundle({...forNode, entrypoints: [name], format: 'cjs', naming: `${name}.cjs`})),
);
// Bun writes the path of the source in place of import.meta.url in CommonJS (https://bun.sh/docs/bundler#format).
for (const {path, kind} of apart.flatMap(({outputs}) => outputs))
  if (kind !== 'sourcemap') writeFileSync(path, readFileSync(path, 'utf8').replaceAll(resolve('.'), ''));
const inputs = [chunks, ...apart].flatMap(({metafile}) => Object.keys(metafile.inputs));
writeFileSync('dist/npm/THIRD_PARTY_LICENSES', licensesOf(inputs.map((path) => resolve(path))));
for (const {path, kind} of chunks.outputs)
  if (kind === 'sourcemap') shortenMap(path);
  else writeFileSync(path, withPlainBuiltins(readFileSync(path, 'utf8')));

await bundle({
  ...settings,
  // So many times later than usual a function that is used again and again becomes machine code: most runs end before that pays.
  // And no file of the directory that it happens to run in has a say: neither .env nor bunfig.toml.
  compile: {outfile: 'dist/streamlog.new', jitPolicy: 8, autoloadDotenv: false, autoloadBunfig: false},
  // So that starting it parses nothing, and sets up only what its command loads: in one file, the functions of all modules.
  bytecode: true,
  splitting: true,
  format: 'esm',
});

/** A map that says where, not what: half the package would be copies of the sources. */
function shortenMap(path) {
  const {sourcesContent, sources, ...map} = JSON.parse(readFileSync(path, 'utf8'));
  const inPackage = sources.map((source) => source.replace(/^.*(?=node_modules\/)/, '../../'));
  writeFileSync(path, JSON.stringify({...map, sources: inPackage}));
}

async function bundle(options) {
  const result = await Bun.build(options);
  if (!result.success)
    throw new AggregateError(result.logs, `${options.outdir ?? options.compile.outfile} could not be made`);
  return result;
}
