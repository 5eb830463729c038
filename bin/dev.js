#!/usr/bin/env node
// Runs streamlog from src, without a build: node bin/dev.js produce type=login
import {register} from 'tsx/esm/api';

register();
await import('../src/lib/cli/standard-streams.ts');
const [{main}, {flagTable}, {readCommands, readPackage, readTopics}] = await Promise.all([
  import('../src/main.ts'),
  import('../scripts/command-index.js'),
  import('../scripts/read-commands.js'),
]);
const commands = await readCommands();
const entry = ({id, file, facts}) => [
  id,
  {brief: facts, details: async () => ({default: facts}), load: () => import(file)},
];
const topics = readTopics().map(({topic, text, ...facts}) => [topic, {...facts, load: async () => ({default: text})}]);
await main(process.argv.slice(2), {
  pjson: readPackage(),
  commands: Object.fromEntries(commands.map(entry)),
  topics: Object.fromEntries(topics),
  flags: async () => ({default: flagTable(commands)}),
});
