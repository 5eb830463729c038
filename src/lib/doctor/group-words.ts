/** The words that name a group in commands. */
import {groupWords, streamWords} from './commands.js';
import type {GroupSubject} from './examination.js';

export const subjectWords = ({stream, group}: Pick<GroupSubject, 'stream' | 'group'>): string[] => [
  ...streamWords(stream.stream),
  ...groupWords(group.group),
];
