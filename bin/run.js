#!/usr/bin/env node
// Starts the npm package. Its chunks take modules of Node by a function that Node before 20.16 does not have.
process.getBuiltinModule ??= (await import('node:module')).createRequire(import.meta.url);
// Where Node can, it keeps what it has compiled, in a directory that is the user's own:
// https://nodejs.org/api/module.html#module-compile-cache
const {HOME, XDG_CACHE_HOME, DEBUG} = process.env;
const cache = XDG_CACHE_HOME || (HOME && `${HOME}/.cache`);
if (cache) process.getBuiltinModule('node:module').enableCompileCache?.(`${cache}/streamlog`);
// So that a stack names files of src.
if (DEBUG) process.setSourceMapsEnabled?.(true);
await import('../dist/npm/start.js');
