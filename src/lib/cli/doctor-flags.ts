/** The flags of `doctor`: what it looks at, and what it looks for. */
import {Flags} from '@oclif/core';
import {FINDING_IDS, FINDING_KINDS, type FindingId} from '../doctor/finding-kinds.js';
import {usageError} from '../errors.js';
import {name} from './flag-values.js';
import {commonFlags, connectionFlags, GLOB_HELP, someStreamsFlag} from './flags.js';

/** `D05,poison` */
const findings = Flags.custom<FindingId[]>({
  helpValue: 'ID,ID',
  parse: async (text) => text.split(',').map((word) => findingNamed(word.trim())),
});

export const doctorFlags = {
  ...someStreamsFlag,
  match: Flags.string({
    helpValue: 'GLOB',
    exclusive: ['stream'],
    summary: `only names that match: ${GLOB_HELP}`,
  }),
  group: name({char: 'g', helpValue: 'NAME', summary: 'only this group'}),
  only: findings({summary: 'look only for these findings; --list has their IDs'}),
  deep: Flags.boolean({summary: 'look at all pending entries, not only at the first 100 of each group'}),
  payload: Flags.boolean({summary: 'show some of the entries that findings are about'}),
  'fail-on': Flags.option({options: ['warn', 'bad'] as const, helpValue: 'warn|bad'})({
    summary: 'exit with 75 if something of this level, or worse, was found',
  }),
  list: Flags.boolean({summary: 'print what it looks for, with the limits, and end'}),
  ...connectionFlags,
  ...commonFlags,
};

function findingNamed(word: string): FindingId {
  const found = FINDING_IDS.find((id) => id === word.toUpperCase() || FINDING_KINDS[id].name === word.toLowerCase());
  if (found === undefined) throw usageError(`there is no finding "${word}"`, 'see: streamlog doctor --list');
  return found;
}
