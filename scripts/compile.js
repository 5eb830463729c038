// Run by Bun: compiles bin/run.js and all it imports to the executable
// dist/streamlog.new. As bytecode, so that starting it parses nothing.
import {lateRequires} from './late-requires.js';

const {success, logs} = await Bun.build({
  entrypoints: ['bin/run.js'],
  // So many times later than usual a function that is used again and again becomes machine code: most runs end before that pays.
  // And no file of the directory that it happens to run in has a say: neither .env nor bunfig.toml.
  compile: {outfile: 'dist/streamlog.new', jitPolicy: 8, autoloadDotenv: false, autoloadBunfig: false},
  bytecode: true,
  format: 'cjs',
  minify: {syntax: true},
  // The check reads the package.json of oclif, which is not in the executable.
  define: {'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"'},
  plugins: [lateRequires],
});
if (!success) throw new AggregateError(logs, 'the executable could not be compiled');
