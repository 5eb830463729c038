// What the peers need and where it is on this machine. What is not there is
// reported with the way to get it; nothing is ever installed from here.
import {execFileSync} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const peer = (name) => join(root, 'bench/peers', name);
const newestNode = join(root, '.cache/newest-node/node_modules/node/bin/node');
const PYTHONS = ['python3', '/usr/bin/python3'];

/** The builds under test: `{prefix, argv}` of this one and, with --before, of the older one. */
export function builds({streamlog, before}) {
  const here = {prefix: '', argv: [streamlog]};
  return before === undefined ? [here] : [here, {prefix: 'before: ', argv: [before]}];
}

/** `{argv}`, or `{missing}` with the reason. `from` names the Debian package. */
export function program(name, from = name) {
  const path = onPath(name);
  return path === undefined ? {missing: `${name} is not on the path (apt-get install ${from})`} : {argv: [path]};
}

/** A Python that has all of these modules. */
export function python(modules, from) {
  for (const name of PYTHONS) {
    if (output([name, '-c', `import ${modules.join(', ')}`]) !== undefined) return {argv: [name]};
  }
  return {missing: `no python3 has ${modules.join(', ')} (apt-get install ${from})`};
}

/** The runtimes that plain JavaScript peers are run on: a peer is as fast as the best of them. */
export function runtimes() {
  const bun = join(root, 'node_modules/.bin/bun');
  return [{name: `Bun ${output([bun, '--version'])}`, argv: [bun]}, ...nodes()];
}

/** The newest Node, then the one that runs this. */
export function nodes() {
  const here = {name: `Node ${process.version.slice(1)}`, argv: [process.execPath]};
  const version = output([newestNode, '--version']);
  const how = 'npm install --prefix .cache/newest-node node@latest';
  if (version === undefined) return [{name: 'newest Node', missing: `not in .cache (${how})`}, here];
  return version === process.version ? [here] : [{name: `Node ${version.slice(1)}`, argv: [newestNode]}, here];
}

/** What a program printed, its first line; undefined when it could not be run. */
export function output([name, ...args]) {
  try {
    return execFileSync(name, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})
      .trim()
      .split('\n')[0];
  } catch {
    return undefined;
  }
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
