#!/usr/bin/env node
// Starts the npm package. Its chunks take modules of Node by a function that Node has since 20.16:
// https://nodejs.org/api/process.html#processgetbuiltinmoduleid
process.getBuiltinModule ??= (await import('node:module')).createRequire(import.meta.url);
// Where Node has a compile cache, it is kept in a directory that is the user's own:
// https://nodejs.org/api/module.html#module-compile-cache
const {HOME, XDG_CACHE_HOME, DEBUG} = process.env;
const cache = XDG_CACHE_HOME || (HOME && `${HOME}/.cache`);
if (cache) process.getBuiltinModule('node:module').enableCompileCache?.(`${cache}/streamlog`);
// So that a stack names files of src.
if (DEBUG) process.setSourceMapsEnabled?.(true);
await import('../dist/npm/start.js');
