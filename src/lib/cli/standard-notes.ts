/** What goes to standard error for people, of a command and before one runs. */
import type {Interfaces} from '@oclif/core';
import {colors} from '../output/colors.js';
import {Notes} from '../output/notes.js';
import type {commonFlags} from './flags.js';
import {takesControls, wantsColor} from './standard-display.js';
import {standardError} from './standard-streams.js';

export type NoteFlags = Pick<Interfaces.InferredFlags<typeof commonFlags>, 'quiet' | 'verbose'>;

export function standardNotes(flags: NoteFlags = {quiet: false, verbose: false}): Notes {
  const terminal = standardError.isTTY;
  const overwrites = terminal && takesControls();
  return new Notes(standardError, {...flags, terminal, overwrites, colors: colors(wantsColor(terminal))});
}
