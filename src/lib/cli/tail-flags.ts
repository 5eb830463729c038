/** The flags of `tail`, and where it starts. */
import {Flags, type Interfaces} from '@oclif/core';
import {POSITION_HELP, type Position} from '../records/position.js';
import {successorOf} from '../records/stream-id.js';
import {conditionFlags, fieldFlags, maxScanFlag, sinceFlag} from './filter-flags.js';
import {position, wholeNumber} from './flag-values.js';
import {connectionFlags, recordFlags, streamsFlag} from './flags.js';

const LAST = 10;

export const tailFlags = {
  ...streamsFlag,
  count: wholeNumber({
    char: 'n',
    defaultHelp: async () => String(LAST),
    summary: 'start with the last N entries of each stream',
  }),
  from: position({exclusive: ['count'], summary: `start here: ${POSITION_HELP}`}),
  since: {...sinceFlag.since, exclusive: ['count', 'from']},
  ...conditionFlags,
  'max-scan': {
    ...maxScanFlag['max-scan'],
    summary: 'look back at no more than N entries for the last ones that match',
  },
  'no-follow': Flags.boolean({summary: 'stop after the newest entry'}),
  ...connectionFlags,
  ...recordFlags,
  ...fieldFlags,
};

type TailFlags = Interfaces.InferredFlags<typeof tailFlags>;

/** How many of the last entries are meant where nothing says where to start. */
export const lastCount = ({count}: TailFlags): number => count ?? LAST;

/** Where reading begins. */
export function tailStart(flags: TailFlags): Position {
  const {from, since} = flags;
  if (from !== undefined) return from;
  if (since !== undefined) {
    if (!since.exclusive || since.position.kind !== 'id') return since.position;
    const next = successorOf(since.position.id);
    return next === undefined ? {kind: 'end'} : {kind: 'id', id: next};
  }
  const count = lastCount(flags);
  return count === 0 ? {kind: 'end'} : {kind: 'last', count};
}
