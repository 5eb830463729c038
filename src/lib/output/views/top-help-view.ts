/** The help of `top`: keys, and what the columns mean. */
import {termList} from '../text-layout.js';
import type {TopDisplay} from './top-figures.js';

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ['arrows, j, k', 'select another stream or group; Page Up, Page Down, Home and End too'],
  ['Enter', 'show the selected one on the whole screen, with commands to copy; Esc goes back'],
  ['c', 'show the consumers of the selected group'],
  ['p', 'show its pending entries, the lowest IDs first'],
  ['s, S', 'sort by the next figure, or the one before: lag, rate, pending, oldest, bytes, name'],
  ['r', 'reverse the order'],
  ['/', 'show only what has the text in its name; Enter keeps the filter, Esc removes it'],
  ['Space', 'pause; reading goes on'],
  ['? or h', 'show this help'],
  ['q', 'quit'],
];

const FIGURES: readonly (readonly [heading: string, meaning: string])[] = [
  ['IN/S', 'entries added in a second, an average of the last seconds'],
  ['LAST 60 S', 'entries added to a stream, or delivered to a group; the full height is the most in that minute'],
  ['LAG', 'entries that the group has not been given'],
  ['BEHIND', 'the age of the oldest entry that the group has not been given'],
  ['OUT/S, DONE/S', 'entries in a second that the group was given, and that it has finished'],
  ['DRAIN', 'how long it takes until nothing is unread, as things go now'],
  ['OLDEST', 'the age of the pending entry with the lowest ID'],
  ['MAX DEL', 'the most deliveries among the first 100 pending entries'],
];

export function helpLines({columns, colors}: TopDisplay): string[] {
  return [
    colors.heading('Keys'),
    ...termList(KEYS, columns),
    '',
    colors.heading('Figures'),
    ...termList(FIGURES, columns),
    '',
    '  - is not known, ~ an estimate.',
  ];
}
