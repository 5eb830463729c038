/** How far an import is, and what became of an imported section, as one sentence. */
import {withCommas} from '../../number-text.js';
import type {ImportReport} from '../../transfer/import-options.js';
import {counted, took} from '../sentences.js';

export function describeImport(report: ImportReport, tookMs: number): string {
  const {stream, entries, gone, pending, groups, already, verified, state, dryRun} = report;
  if (state === 'identical') return `${stream} is already there, identical: ${counted(entries, 'entry')}`;
  const parts = [
    counted(entries, 'entry'),
    ...(state === 'appended' || state === 'added' ? [] : [counted(groups, 'group')]),
    ...(pending > 0
      ? [`${counted(pending, 'pending', 'pending')}${gone > 0 ? ` (${gone} without payload)` : ''}`]
      : []),
    ...(already > 0 ? [`${counted(already, 'entry')} of them there before`] : []),
    ...(verified ? ['verified'] : []),
    ...(state === 'replaced' ? [dryRun ? 'would replace the stream that is there' : 'replaced'] : []),
    dryRun ? 'nothing was changed' : took(tookMs),
  ];
  return `${stream}: ${parts.join(', ')}`;
}

/** `orders  412,000 of 1,204,112 entries`; `length` is undefined, or 0, where it is not known. */
export const importProgress = (stream: string, entries: number, length: number | undefined): string =>
  `${stream}  ${withCommas(entries)}${length ? ` of ${withCommas(length)}` : ''} entries`;
