// What the npm package does so that Node starts it sooner. Node reads a whole
// chunk before it runs any of it, so what few runs need is kept apart.
import {builtinModules} from 'node:module';

/** Packages that oclif requires late and hardly ever: files of their own beside the chunks. */
export const PACKAGES_APART = ['cli-spinners', 'ejs', 'lilconfig', 'minimatch', 'semver', 'tinyglobby'];

/** A plugin for Bun's bundler. */
export const packagesApart = {
  name: 'packages-apart',
  setup(build) {
    build.onResolve({filter: new RegExp(`^(${PACKAGES_APART.join('|')})$`)}, ({path, kind}) =>
      kind === 'require-call' ? {path: `./${path}.cjs`, external: true} : undefined,
    );
  },
};

const IMPORT = /^import (?:(\* as )?([\w$]+)|\{([^}]*)\}) from "([\w:/]+)";$/gm;

/**
 * The text of a chunk, with modules of Node taken as they are. To an import, Node
 * gives all their exports, and has to make those that are made when they are first
 * asked for, the streams of `process` among them.
 */
export function withPlainBuiltins(text) {
  return text.replace(IMPORT, (line, _, whole, names, module) => {
    if (!builtinModules.includes(module.replace(/^node:/, ''))) return line;
    return `const ${whole ?? `{${names.replaceAll(' as ', ': ')}}`} = globalThis.process.getBuiltinModule("${module}");`;
  });
}
