// Where both artefacts start: the build makes dist/npm and dist/streamlog of it.
// Standard output is taken over before anything else is loaded: where a module
// imports node:process, Node opens its own stream there before any module runs.
import '../src/lib/cli/standard-streams.js';

Promise.all([import('../src/main.js'), import('streamlog:commands')]).then(([{main}, {index}]) =>
  main(process.argv.slice(2), index),
);
