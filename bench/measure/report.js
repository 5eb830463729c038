// Results as Markdown for people and as JSON for programs.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {busy} from './machine.js';
import {ratio} from './rounds.js';

/**
 * A line of "what to reach".
 * @param value the ratio that was measured; undefined: it could not be
 * @param least what it has to be at least, or @param most at most
 * @param towards what comes next, in the same direction
 */
export function goal({work, against, value, least, most, towards}) {
  const meets = (limit) => limit === undefined || (most === undefined ? value >= limit : value <= limit);
  const reached = value === undefined ? undefined : meets(least ?? most);
  const further = value === undefined || towards === undefined ? undefined : meets(towards);
  return {work, against, value, least, most, towards, reached, further};
}

export function goalsTable(goals) {
  const lines = goals.map(({work, against, value, least, most, towards, reached, further}) => {
    const floor = least === undefined ? undefined : `at least ${least}`;
    const asked = floor ?? (most === undefined ? '' : `at most ${most}`);
    const cells = [work, against, value?.toFixed(2) ?? 'not measured', asked, asked && verdict(reached)];
    return `| ${[...cells, towards ?? '', verdict(further)].map((text) => cell(String(text))).join(' | ')} |`;
  });
  const head = '| work | compared with | ratio | asked | | then towards | |\n|---|---|---|---|---|---|---|';
  return ['### What to reach', '', head, ...lines].join('\n');
}

function verdict(reached) {
  return reached === undefined ? '' : reached ? 'reached' : 'NOT reached';
}

export function tableText(table) {
  const {title, unit, reference, rows, skipped, note} = table;
  const head = reference === undefined ? '' : ` ${reference} is so many times as fast |`;
  const lines = rows.map((row) => {
    const figures = [row.median, row.lowest, row.highest].map((figure) => number(figure, unit));
    const compared = reference === undefined ? '' : ` ${ratio(table, reference, row.name)?.toFixed(2) ?? ''} |`;
    return `| ${cell(row.name)} | ${figures.join(' | ')} | ${(row.spread * 100).toFixed(0)} % |${compared}`;
  });
  return [
    `### ${title}`,
    '',
    `| | median ${unit} | lowest | highest | spread |${head}`,
    `|---|---|---|---|---|${head === '' ? '' : '---|'}`,
    ...lines,
    ...(note === undefined ? [] : ['', note]),
    ...skipped.map(({name, reason}) => `\nSkipped: ${name}: ${reason}.`),
  ].join('\n');
}

/** All of one work. */
export function workText(name, {about, tables, goals}, setting) {
  const {machine, versions, options} = setting;
  const warning = busy(machine);
  return [
    `# ${name}: ${about}`,
    `\`npm run bench -- ${name} --rounds ${options.rounds} --events ${options.events} --seconds ${options.seconds}\`, on a Redis server of its own (loopback TCP, no persistence), the same for all.`,
    ...(warning === undefined ? [] : [`**${warning}**`]),
    ...tables.map(tableText),
    ...(goals.length === 0 ? [] : [goalsTable(goals)]),
    '### Machine and versions',
    [
      `- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.kernel}, load ${machine.loadBefore.toFixed(2)} before`,
    ]
      .concat(Object.entries(versions).map(([key, value]) => `- ${key}: ${value}`))
      .join('\n'),
    '',
  ].join('\n\n');
}

/** Keeps one work as `<name>.md` and `<name>.json`, and returns the first one's path. */
export function keep(directory, name, result, setting) {
  mkdirSync(directory, {recursive: true});
  const path = join(directory, `${name}.md`);
  writeFileSync(path, workText(name, result, setting));
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({name, ...setting, ...result}, null, 1)}\n`);
  return path;
}

/** A | ends a cell. */
function cell(text) {
  return text.replaceAll('|', '\\|');
}

function number(figure, unit) {
  if (unit === '%') return figure.toFixed(2);
  if (unit.startsWith('MB') || (unit === 'ms' && figure < 1_000)) return figure.toFixed(1);
  return Math.round(figure).toLocaleString('en-US');
}
