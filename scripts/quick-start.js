// Makes Node start the npm package sooner (docs/adr/0009). Node parses a whole
// chunk before it runs any of it, so packages that few runs need are kept apart.
// Plugins are those of https://bun.sh/docs/bundler/plugins.
import {readFile} from 'node:fs/promises';
import {builtinModules} from 'node:module';

/** Packages that oclif requires lazily and rarely: files of their own beside the chunks. */
export const PACKAGES_APART = ['cli-spinners', 'ejs', 'lilconfig', 'minimatch', 'semver', 'tinyglobby'];

export const packagesApart = {
  name: 'packages-apart',
  setup(build) {
    build.onResolve({filter: new RegExp(`^(${PACKAGES_APART.join('|')})$`)}, ({path, kind}) =>
      kind === 'require-call' ? {path: `./${path}.cjs`, external: true} : undefined,
    );
  },
};

/** Small modules of src/lib that most commands load. By themselves they would be a dozen chunks, of which each takes Node a third of a millisecond. */
const LOADED_TOGETHER = [
  'cli/system-calls',
  'colocated-key',
  'escapes',
  'output/format',
  'reading/locate',
  'reading/page-size',
  'records/bytes',
  'records/compact-json',
  'records/confirmed-ids',
  'records/entry',
  'records/entry-ids',
  'records/names',
  'records/pending-entry',
  'records/raw-fields',
  'records/raw-record',
  'retry-policy',
  'shell-word',
];

/** Has base-command.ts, which every command imports, bring those in: so they are one chunk. */
export const loadedTogether = {
  name: 'loaded-together',
  setup(build) {
    build.onLoad({filter: /\/src\/lib\/cli\/base-command\.ts$/}, async ({path}) => {
      const imports = LOADED_TOGETHER.map((name) => `import '../${name}.js';`);
      return {loader: 'ts', contents: `${imports.join('')}${await readFile(path, 'utf8')}`};
    });
  },
};

const IMPORT = /^import (?:(\* as )?([\w$]+)|\{([^}]*)\}) from "([\w:/]+)";$/gm;

/**
 * The text of a chunk, with modules of Node taken by `process.getBuiltinModule`
 * (https://nodejs.org/api/process.html#processgetbuiltinmoduleid). For an import,
 * Node reads every export of a module, and so creates those that are created on
 * first use, such as the streams of `process`.
 */
export function withPlainBuiltins(text) {
  return text.replace(IMPORT, (line, _, whole, names, module) => {
    if (!builtinModules.includes(module.replace(/^node:/, ''))) return line;
    return `const ${whole ?? `{${names.replaceAll(' as ', ': ')}}`} = globalThis.process.getBuiltinModule("${module}");`;
  });
}
