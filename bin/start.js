// The entry point of both artefacts: the build makes dist/npm and dist/streamlog of it.
// Standard output is taken over before anything else is loaded. If a module imports
// node:process, Node opens its own stream on it first, and makes a pipe non-blocking
// for everyone who shares it: nodejs/node#42826
import '../src/lib/cli/standard-streams.js';

Promise.all([import('../src/main.js'), import('streamlog:commands')]).then(([{main}, {index}]) =>
  main(process.argv.slice(2), index),
);
