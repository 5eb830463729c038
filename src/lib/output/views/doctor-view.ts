/**
 * What `doctor` found, for people: by stream, the worst first, each with the commands to type. Invariants: text is as wide as the display;
 * a command is never cut, and what is broken over lines means the same to a shell.
 */
import {type Command, printedName, textOf} from '../../doctor/commands.js';
import type {Diagnosis} from '../../doctor/diagnosis.js';
import type {Finding, Level} from '../../doctor/finding.js';
import {FINDING_IDS, FINDING_KINDS, type FindingId, type FindingKind} from '../../doctor/finding-kinds.js';
import {StreamlogError} from '../../errors.js';
import type {StreamFacts} from '../../observe/snapshot.js';
import {type Entry, fieldsToJson} from '../../records/entry.js';
import {formatSize} from '../../size.js';
import {cutEnd, cutMiddle} from '../cell-width.js';
import type {Display} from '../display.js';
import {escapeForTerminal} from '../sanitize.js';
import {counted, listed} from '../sentences.js';
import {padded, wrap} from '../text-layout.js';
import {commandLines} from './top-commands.js';

/** `D05 poison`, and the same under the names of the JSON output. */
export interface KindReport extends Omit<FindingKind, 'explainedBy'> {
  id: FindingId;
}

export const kindReports = (): KindReport[] => FINDING_IDS.map((id) => ({id, ...FINDING_KINDS[id]}));

export const renderKinds = (kinds: readonly KindReport[], display: Display): string =>
  kinds
    .map(({id, level, name, when, asks}) => {
      const text = `${sentence(when)} (${asks})`;
      return `${headLine(level, `${id} ${name}`, display)}\n${paragraph(text, display)}`;
    })
    .join('');

/** The finding under the names of the JSON output. */
export type FindingReport = Omit<Finding, 'look' | 'mend' | 'entries'> &
  Record<'look' | 'mend', string[]> & {entries?: {id: string; fields: Record<string, unknown>}[]};
export const findingReport = ({look, mend, entries, ...finding}: Finding): FindingReport => ({
  ...finding,
  look: look.map(textOf),
  mend: mend.map(textOf),
  ...(entries && {entries: entries.map(({id, fields}) => ({id, fields: JSON.parse(fieldsToJson(fields))}))}),
});

export function renderDiagnosis(diagnosis: Diagnosis, display: Display): string {
  const {findings, snapshot} = diagnosis;
  const streams = new Map(snapshot.streams.map((facts) => [facts.stream, facts]));
  let text = '';
  let before: string | null | undefined;
  for (const finding of findings) {
    if (finding.stream !== before) {
      before = finding.stream;
      text +=
        finding.stream === null
          ? serverHeading(diagnosis, display)
          : streamHeading(streams.get(finding.stream), finding.stream, display);
    }
    text += renderFinding(finding, display);
  }
  return `${text}${lookedAt(diagnosis, display)}`;
}

/** `orders   1,204,110 entries, 2 groups, 412 MB` */
function streamHeading(facts: StreamFacts | undefined, name: string, {colors, columns}: Display): string {
  const figures =
    facts === undefined
      ? []
      : [
          counted(facts.length, 'entry'),
          ...(facts.groups === null ? [] : [counted(facts.groups.length, 'group')]),
          ...(facts.bytes === null ? [] : [formatSize(facts.bytes)]),
        ];
  const about = figures.length === 0 ? '' : `   ${figures.join(', ')}`;
  const shown = escapeForTerminal(printedName(name));
  const room = columns - about.length;
  return room < LEAST_HEADING
    ? `${colors.heading(cutMiddle(shown, columns))}\n${colors.dim(cutMiddle(about.trimStart(), columns))}\n`
    : `${colors.heading(cutMiddle(shown, room))}${colors.dim(about)}\n`;
}

/** Cells of the name of a stream that stand before its figures. */
const LEAST_HEADING = 16;

function serverHeading({snapshot: {server}}: Diagnosis, {colors, columns}: Display): string {
  const facts = [server.name, server.version].filter((fact) => fact !== null).join(' ');
  return `${colors.heading('server')}${colors.dim(cutMiddle(`   ${escapeForTerminal([facts, server.address].filter(Boolean).join(' at '))}`, columns - 'server'.length))}\n`;
}

function renderFinding(finding: Finding, display: Display): string {
  const {id, name, level, group, what, why, look, mend, entries = []} = finding;
  const subject = group === null ? '' : `${printedName(group)}: `;
  return [
    `${headLine(level, `${id} ${name}`, display)}\n`,
    paragraph(escapeForTerminal(`${subject}${what}`), display),
    paragraph(why, display, display.colors.dim),
    ...entries.map((entry) => entryLine(entry, display)),
    ...look.map((command, index) => renderCommand(index === 0 ? 'look:' : '', command, display)),
    ...mend.map((command, index) => renderCommand(index === 0 ? 'mend:' : 'or:', command, display)),
  ].join('');
}

/** An entry, as far as there is room for it. */
const entryLine = ({id, fields}: Entry, {colors, columns}: Display): string =>
  `${INDENT}${colors.id(id)} ${cutEnd(escapeForTerminal(fieldsToJson(fields).slice(0, MOST_CHARACTERS)), columns - INDENT.length - id.length - 1)}\n`;

/** Of an entry, more is not looked at. */
const MOST_CHARACTERS = 2_000;

function headLine(level: Level, title: string, {colors}: Display): string {
  const paint = {bad: colors.failure, warn: colors.warning, note: colors.name}[level];
  return ` ${paint(padded(LEVEL_WORDS[level], 6))}${colors.heading(title)}`;
}

const LEVEL_WORDS = {bad: 'BAD', warn: 'WARN', note: 'note'} as const;
const INDENT = '       ';
const LABEL = 6;

const paragraph = (text: string, {columns}: Display, paint: (text: string) => string = String): string =>
  wrapWords(text, Math.max(20, columns - INDENT.length))
    .map((line) => `${INDENT}${paint(line)}\n`)
    .join('');

/** A word that is wider than a line is cut: a name may be of any length. */
const wrapWords = (text: string, width: number): string[] => wrap(text, width).map((line) => cutMiddle(line, width));

/** In a pipe, one line: what reads it may not know of a line that is continued. */
function renderCommand(label: string, command: Command, display: Display): string {
  const {colors, terminal, columns} = display;
  const whole = textOf(command);
  const lead = INDENT.length + LABEL;
  const fits = !terminal || whole.length <= columns - lead;
  if (command.about === undefined && fits) return `${INDENT}${colors.dim(padded(label, LABEL))}${whole}\n`;
  const title = command.about === undefined ? label : `${label.replace(':', ',')} ${command.about}:`;
  const heading = title === '' ? '' : paragraph(title, display, colors.dim);
  if (fits) return `${heading}${' '.repeat(lead)}${whole}\n`;
  const lines = commandLines(withValues(command.words), columns) ?? commandLines(command.words, columns);
  return `${heading}${lines === undefined ? `  ${whole}` : lines.join('\n')}\n`;
}

/** Words of which a flag stays in a line with its value, and a pipe with what it leads to. */
function withValues(words: readonly string[]): string[] {
  const units: string[] = [];
  for (const word of words) {
    const last = units.at(-1) ?? '';
    const belongs = last === '|' || (/^--?[a-z-]+$/i.test(last) && !/^[-|]/.test(word));
    if (belongs) units[units.length - 1] = `${last} ${word}`;
    else units.push(word);
  }
  return units;
}

/** The last line: what else was looked at. */
function lookedAt(diagnosis: Diagnosis, display: Display): string {
  const {colors} = display;
  const {findings, unexamined} = diagnosis;
  const nothing = findings.length === 0 ? 'nothing found' : 'nothing else found';
  const paint = unexamined.length > 0 ? colors.warning : colors.good;
  const lines = wrapWords(
    `${subjectsOf(diagnosis)}: ${nothing}${unexamined.length > 0 ? '; not everything could be looked at' : ''}`,
    Math.max(20, display.columns - INDENT.length),
  );
  return lines.map((line, index) => `${index === 0 ? ` ${paint(padded('ok', 6))}` : INDENT}${line}\n`).join('');
}

/** `38 streams, 61 groups and the server` */
function subjectsOf({snapshot, withServer}: Diagnosis): string {
  const groups = snapshot.streams.reduce((sum, stream) => sum + (stream.groups?.length ?? 0), 0);
  return listed([
    counted(snapshot.streams.length, 'stream'),
    counted(groups, 'group'),
    ...(withServer ? ['the server'] : []),
  ]);
}

/** `2 findings, 1 of them bad: 38 streams, 61 groups and the server were looked at` */
export function describeDiagnosis(diagnosis: Diagnosis): string {
  const {findings} = diagnosis;
  const bad = findings.filter(({level}) => level === 'bad').length;
  const found = findings.length === 0 ? 'nothing found' : counted(findings.length, 'finding');
  return `${found}${bad === 0 ? '' : `, ${bad} bad`} in ${subjectsOf(diagnosis)}`;
}

/** The failure of a run that saw none of the streams that there are. */
export function failureOf({snapshot: {streams, skipped}}: Diagnosis): StreamlogError | undefined {
  if (streams.length > 0 || !skipped.some(({reason}) => reason === 'denied')) return undefined;
  return new StreamlogError('denied', 'the user may read none of the streams', {
    hint: 'what it needs is in: streamlog help permissions',
  });
}

/** Streams that were not looked at, a sentence each. */
export const describeSkipped = ({snapshot: {skipped, discovered}}: Diagnosis): string[] => [
  ...skipped.map(({streams, reason}) => {
    const them = streams === 1 ? 'it' : 'them';
    const why = reason === 'denied' ? `the user may not read ${them}` : `the server did not answer for ${them}`;
    return `${counted(streams, 'stream')} not looked at: ${why}`;
  }),
  ...(discovered ? [] : ['a server of the cluster does not answer, so not all streams are known']),
];

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;
