// Reads src/commands/**: flags, arguments and help of each command; and the pages of docs/.
// Needs a runtime that imports TypeScript: Bun when the artefacts are built, tsx in bin/dev.js.
import {readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const directory = join(root, 'src/commands');

/**
 * What oclif calls "cached": plain data instead of a class, as in its manifest
 * (https://oclif.io/docs/plugin_loading). It exports the type, but not the function.
 */
const require = createRequire(import.meta.url);
const oclif = dirname(require.resolve('@oclif/core/package.json'));
const {cacheCommand} = require(join(oclif, 'lib/util/cache-command.js'));

/** What main.ts needs of package.json, and the date for man pages, which SOURCE_DATE_EPOCH may set. */
export function readPackage() {
  const {name, version, description, oclif} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const {SOURCE_DATE_EPOCH} = process.env;
  const built = SOURCE_DATE_EPOCH ? new Date(Number(SOURCE_DATE_EPOCH) * 1000) : new Date();
  return {name, version, description, oclif, date: built.toISOString().slice(0, 10)};
}

/**
 * Every command, in the order of IDs: {id, file, facts}. `file` is absolute,
 * `facts` is a Command.Cached of oclif. Throws when a command cannot be loaded.
 */
export async function readCommands() {
  const files = readdirSync(directory, {recursive: true}).filter((name) => name.endsWith('.ts'));
  const plugin = readPackage().name;
  return Promise.all(
    files.sort().map(async (name) => {
      const file = join(directory, name);
      const id = relative(directory, file).slice(0, -'.ts'.length).split('/').join(':');
      const {default: command} = await import(pathToFileURL(file).href);
      command.id = id;
      const facts = await cacheCommand(command, {name: plugin, alias: plugin, type: 'core'}, true);
      return {id, file, facts: JSON.parse(JSON.stringify(facts))};
    }),
  );
}

/** A topic is named as its page, unless a command has that name. */
const TOPIC_NAMES = {serve: 'http'};

/**
 * The pages of docs/ for people who use streamlog, which are those of the first table in
 * docs/README.md, in its order: {topic, page, summary, text}.
 */
export function readTopics() {
  const read = (page) => readFileSync(join(root, 'docs', page), 'utf8');
  const [, table] = /^\|-.*\n((?:\|.*\n)+)/m.exec(read('README.md'));
  return [...table.matchAll(/^\| \[[^\]]*\]\((([a-z-]+)\.md)\) \| (.*) \|$/gm)].map(([, page, name, summary]) => ({
    topic: TOPIC_NAMES[name] ?? name,
    page,
    summary: summary.replaceAll('`', ''),
    text: read(page),
  }));
}
