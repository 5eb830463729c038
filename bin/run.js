#!/usr/bin/env node
// Starts streamlog: under Node as the npm package, and, compiled by Bun, as dist/streamlog.
// Standard output is taken over before anything else is loaded: where a module
// imports node:process, Node opens its own stream there before any module runs.
import '../dist/js/lib/cli/standard-streams.js';

Promise.all([import('../dist/js/main.js'), import('../dist/js/manifest.js')]).then(([{main}, {manifest}]) =>
  main(process.argv.slice(2), manifest),
);
