/** How the new IDs of `produce` are printed. */
import {nameToJson} from '../records/names.js';
import {delimitedLine, nameCell} from './delimited.js';
import type {Shape} from './shape.js';

/** What stands around each ID: nothing but a newline, or what says of which stream it is. */
export function idLineOf(stream: string, shape: Shape): {before: string; after: string} {
  if (shape === 'table') return {before: '', after: '\n'};
  if (shape === 'json') return {before: `{"stream":${nameToJson(stream)},"id":"`, after: '"}\n'};
  const after = delimitedLine(shape, ['']).replaceAll('"', '');
  return {before: delimitedLine(shape, [nameCell(stream), '']).slice(0, -after.length), after};
}

/** The line before all IDs; empty where there is none. */
export const idHeadings = (shape: Shape): string =>
  shape === 'csv' || shape === 'tsv' ? delimitedLine(shape, ['stream', 'id']) : '';
