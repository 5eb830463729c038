import {expect, it} from 'vitest';
import {streamChange} from '../../../src/lib/reading/stream-change.js';
import type {StreamInfo} from '../../../src/lib/stream-client.js';

/** A stream of `length` entries from `first` to `last`, to which `added` were added. */
const info = (first: string | undefined, last: string, added: number | undefined, length: number, value = 'a') =>
  ({
    length,
    lastGeneratedId: last,
    entriesAdded: added,
    firstEntry: first === undefined ? undefined : {id: first, fields: [['n', value]]},
  }) as StreamInfo;

const before = info('5-0', '9-0', 5, 5);

it.each([
  ['more was added', info('5-0', '12-0', 8, 8), 'none'],
  ['trimmed to nothing', info(undefined, '9-0', 5, 0), 'none'],
  ['the newest entries are missing', info('5-0', '7-0', 3, 3), 'shortened'],
  ['the newest entries are missing, and the oldest were trimmed', info('6-0', '7-0', 3, 2), 'shortened'],
  ['a server that does not count entries', info('6-0', '7-0', undefined, 2), 'shortened'],
  ['lower IDs than ever before', info('1-0', '2-0', 2, 2), 'anew'],
  ['the same first ID with another content', info('5-0', '6-0', 2, 2, 'b'), 'anew'],
  ['a later first ID, though nothing was ever removed', info('6-0', '7-0', 2, 2), 'anew'],
  ['filled again past what was read', info('10-0', '12-0', 3, 3), 'anew'],
  ['made again and empty', info(undefined, '0-0', 0, 0), 'anew'],
] as const)('%s', (_, now, change) => {
  expect(streamChange(before, '9-0', now)).toBe(change);
});
