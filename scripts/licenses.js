// The licences of the packages whose code is in dist/npm, for THIRD_PARTY_LICENSES
// there: most ask that their text goes where the code goes.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** `files` are the modules that were bundled. Throws when a package has no licence to name. */
export function licensesOf(files) {
  const packages = new Map();
  for (const file of files) {
    const directory = packageDirectory(file);
    if (directory === undefined || packages.has(directory)) continue;
    const {name, version, license} = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const text = licenseText(directory);
    if (license === undefined && text === undefined) throw new Error(`${name} has no licence`);
    packages.set(directory, {title: `${name} ${version} (${license})`, text: text ?? `License: ${license}`});
  }
  return [...packages.values()]
    .sort((a, b) => (a.title < b.title ? -1 : 1))
    .map(({title, text}) => `${title}\n${'-'.repeat(title.length)}\n\n${text.trim()}\n`)
    .join('\n\n');
}

/** The nearest directory in node_modules whose package.json has a name and a version; undefined for files of our own. */
function packageDirectory(file) {
  if (!file.includes('/node_modules/')) return undefined;
  for (let directory = dirname(file); directory.includes('/node_modules/'); directory = dirname(directory)) {
    const path = join(directory, 'package.json');
    if (!existsSync(path)) continue;
    const {name, version} = JSON.parse(readFileSync(path, 'utf8'));
    if (name !== undefined && version !== undefined) return directory;
  }
  return undefined;
}

function licenseText(directory) {
  const name = readdirSync(directory).find((one) => /^(licen[cs]e|copying)/i.test(one));
  return name === undefined ? undefined : readFileSync(join(directory, name), 'utf8');
}
