#!/usr/bin/env node
// Runs streamlog from src, without a build: node bin/dev.js produce type=login
import {register} from 'tsx/esm/api';

register();
await import('../src/lib/cli/standard-streams.ts');
const [{main}, {plainIndex}, {readCommands, readPackage, readTopics}] = await Promise.all([
  import('../src/main.ts'),
  import('../scripts/command-index.js'),
  import('../scripts/read-commands.js'),
]);
await main(process.argv.slice(2), plainIndex(readPackage(), await readCommands(), readTopics()));
