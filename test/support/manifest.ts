/** Every command, its flags and its help, as the build wrote them down: what is in the artefacts, not what is in src. */
import {readFileSync} from 'node:fs';
import type {Command, Interfaces} from '@oclif/core';

interface Manifest {
  pjson: Interfaces.PJSON;
  /** By ID: `group:list`. */
  commands: Record<string, Command.Cached>;
}

export const manifest = JSON.parse(
  readFileSync(new URL('../../dist/manifest.json', import.meta.url), 'utf8'),
) as Manifest;
