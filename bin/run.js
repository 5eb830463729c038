#!/usr/bin/env node
// Starts streamlog: under Node as the npm package, and, compiled by Bun, as dist/streamlog.
import {main} from '../dist/js/main.js';
import {manifest} from '../dist/js/manifest.js';

main(process.argv.slice(2), manifest);
