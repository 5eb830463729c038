/** What an export looks like to a person: how far it is, a sentence for each section, and what a dry run would write. */
import {withCommas} from '../../number-text.js';
import type {SectionReport} from '../../transfer/export-run.js';
import type {SectionHeader} from '../../transfer/section.js';
import type {Display} from '../display.js';
import {escapeForTerminal} from '../sanitize.js';
import {counted, countedOrNone, took} from '../sentences.js';

/** A line of text for a table's place. */
export const renderSentence = (sentence: string, {terminal}: Display): string =>
  `${terminal ? escapeForTerminal(sentence) : sentence}\n`;

/** What is reported of a section. Facts that are not known before it is written are null in a dry run. */
export interface ExportReport {
  stream: string;
  entries: number | null;
  gone: number | null;
  pending: number;
  groups: number;
  missing: number | null;
  bytes: number | null;
  file: string | null;
  resumed: boolean;
  dryRun: boolean;
}

export const exportReport = ({file, ...section}: SectionReport): ExportReport => ({
  ...section,
  file: file ?? null,
  dryRun: false,
});

/** What would be written now: how many entries are in between, or match, is not known. */
export const plannedReport = ({stream, length, groups, ...asked}: SectionHeader): ExportReport => ({
  stream,
  entries: asked.from === undefined && asked.filter === undefined && !asked.pendingOnly ? length : null,
  gone: null,
  pending: pendingOf(groups),
  groups: groups.length,
  missing: null,
  bytes: null,
  file: null,
  resumed: false,
  dryRun: true,
});

const pendingOf = (groups: SectionHeader['groups']): number => groups.reduce((sum, {pending}) => sum + pending, 0);

/** `exported 1,204,110 entries of orders with 2 groups and 402 pending (3 without payload) to F in 31 s` */
export function describeExported(section: SectionReport, ms: number): string {
  const {stream, entries, gone, pending, groups, file} = section;
  const withWhat = [countedOrNone(groups, 'group'), pending === 0 ? undefined : `${withCommas(pending)} pending`];
  const known = withWhat.filter((part) => part !== undefined).join(' and ');
  return [
    `exported ${counted(entries, 'entry')} of ${stream}`,
    known === '' ? '' : ` with ${known}`,
    gone === 0 ? '' : ` (${withCommas(gone)} without payload)`,
    file === undefined ? '' : ` to ${file}`,
    ` ${took(ms)}`,
  ].join('');
}

/** `would export 120 entries of orders with 2 groups and 4 pending` */
export function describePlanned({stream, entries, groups, pending}: ExportReport): string {
  const what = entries === null ? 'some entries' : counted(entries, 'entry');
  return `would export ${what} of ${stream} with ${counted(groups, 'group')} and ${withCommas(pending)} pending`;
}

export const describeMissing = ({stream, missing}: SectionReport): string =>
  `${counted(missing, 'entry')} of "${stream}" ${missing === 1 ? 'was' : 'were'} trimmed or deleted before ${missing === 1 ? 'it was' : 'they were'} read`;
