/** What became of an imported section, as one sentence. */
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
