/** What `doctor --json` prints, and its commands as a person would paste them. */
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll} from 'vitest';
import {EXECUTABLE, type Finished, type RunOptions, runSh} from './run-cli.js';

export interface FoundFinding {
  id: string;
  level: string;
  stream: string | null;
  group: string | null;
  seen: Record<string, unknown>;
  what: string;
  look: string[];
  mend: string[];
}

interface Pasting {
  directory: string;
  paste(line: string, options?: RunOptions): Promise<Finished>;
}

/** `paste` runs a line of a finding, for all tests of the file, in a directory where `./worker` is a program. */
export function pasteForAll(): Pasting {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-doctor-'));
  afterAll(() => rmSync(directory, {recursive: true, force: true}));
  writeFileSync(join(directory, 'worker'), '#!/bin/sh\ncat >/dev/null\n');
  chmodSync(join(directory, 'worker'), 0o755);
  const PATH = `${dirname(EXECUTABLE)}:${process.env.PATH}`;
  return {
    directory,
    paste: (line, options = {}) => runSh(line, {...options, cwd: directory, env: {...options.env, PATH}}),
  };
}
