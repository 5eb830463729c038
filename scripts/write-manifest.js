// Writes dist/js/manifest.js: what help and lookup need to know of each
// command, so that at run time only the one that was asked for is loaded.
import {readFileSync, writeFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {Plugin} from '@oclif/core';

/** Reads the compiled commands under `root`/dist/js. Throws when one of them cannot be loaded or is in no table. */
export async function writeManifest(root) {
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  const {commands} = plugin.manifest;

  const {commandTable} = await import(pathToFileURL(`${root}/dist/js/command-table.js`));
  const missing = Object.keys(commands).filter((id) => !Object.hasOwn(commandTable, id));
  if (missing.length > 0) throw new Error(`src/command-table.ts lacks: ${missing.join(', ')}`);

  // Where a command's file was at build time means nothing where it runs.
  for (const command of Object.values(commands)) delete command.relativePath;
  const {name, version, description, oclif} = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const manifest = {pjson: {name, version, description, oclif: {...oclif, commands: undefined}}, commands};
  writeFileSync(`${root}/dist/js/manifest.js`, `export const manifest = ${JSON.stringify(manifest, undefined, 1)};\n`);
}
