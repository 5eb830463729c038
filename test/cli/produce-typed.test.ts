/** `produce` where a person types its records: on a terminal, in both builds. */
import {describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES} from '../support/run-cli.js';
import {CTRL_C, CTRL_D, type Open, openTerminal, unwrapped} from '../support/terminal.js';

const server = serverForAll();
let streams = 0;
const newStream = (): string => `typed-${++streams}`;
const CTRL_U = '\u0015';

const open = (line: string, columns = 80): Open => openTerminal(line, {server, columns, env: {NO_COLOR: '1'}});
const shows = (terminal: Open, text: string | RegExp): Promise<void> =>
  expect.poll(() => unwrapped(terminal.text()), {timeout: 30_000}).toMatch(text);
const entries = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);
const added = (stream: string, count: number): Promise<void> =>
  expect.poll(() => server.redis.xlen(stream), {timeout: 30_000}).toBe(count);

describe.each(RUNTIMES)('%s', (_, program) => {
  it.each(['', '-', '--file -'])('produce %s adds each line when it is typed, up to Ctrl-D', async (argument) => {
    const stream = newStream();
    const terminal = open(`${program} produce -s ${stream} ${argument}`);
    await shows(terminal, /reading records from the terminal, one JSON object a line; Ctrl-D ends\n/);
    terminal.press('{"a":1}\n');
    await added(stream, 1);
    await shows(terminal, /\n\d+-\d+\n$/);
    terminal.press(`oops${CTRL_U}{"a":"é"}\n\n{"a":3}`);
    await added(stream, 2);
    // The first hands over what was typed so far, the second ends the input.
    terminal.press(CTRL_D + CTRL_D);
    const {code, text} = await terminal.finished;
    expect([code, await entries(stream)]).toEqual([0, [['a', '1'], ['a', 'é'], ['a', '3']]]); // biome-ignore format: a table
    expect(text.match(/\d{13}-\d+\n/g)).toHaveLength(3);
    expect(text).toMatch(/streamlog: added 3 entries to typed-\d+ in [\d.]+ s\n$/);
  });

  it('ends at Ctrl-C with what was typed before, and at a bad line with 65', async () => {
    const stream = newStream();
    const terminal = open(`${program} produce -s ${stream}; echo "code $?"`);
    terminal.press('{"a":1}\n');
    await added(stream, 1);
    terminal.press(CTRL_C);
    await terminal.finished;
    expect(terminal.text()).toMatch(/added 1 entry to typed-\d+ in [\d.]+ s\n/);
    const bad = open(`${program} produce -s ${stream}`);
    bad.press('{"a":2}\noops\n');
    expect((await bad.finished).code).toBe(65);
    expect(bad.text()).toContain('streamlog: line 2 column 1: a record is a JSON object');
    expect(await entries(stream)).toHaveLength(2);
  });

  it('leaves the terminal as it was, for the next program that reads it', async () => {
    const stream = newStream();
    const terminal = open(`${program} produce -q -s ${stream} --input text; stty -a; read line; echo "next: $line"`);
    terminal.press('one\n');
    await added(stream, 1);
    terminal.press(CTRL_D);
    await shows(terminal, / icanon .* echo /s);
    terminal.press('two\n');
    expect((await terminal.finished).text).toMatch(/next: two\n$/);
    expect(await entries(stream)).toEqual([['data', 'one']]);
  });
});

it.each([
  ['--input text', 'reading text from the terminal, each line a record; Ctrl-D ends'],
  ['--input csv', 'reading CSV from the terminal, names in the first line; Ctrl-D ends'],
  ['--input envelope', 'reading records from the terminal as other commands print them, one a line; Ctrl-D ends'],
])('says what it waits for with %s, whatever the width', async (flags, note) => {
  for (const columns of [40, 80, 120]) {
    const terminal = open(`${EXECUTABLE} produce -s ${newStream()} ${flags}`, columns);
    await shows(terminal, new RegExp(`^streamlog: ${note}\n$`));
    terminal.press(CTRL_D);
    expect((await terminal.finished).code).toBe(0);
  }
});

it('--quiet says nothing, and - goes with no other argument', async () => {
  const stream = newStream();
  const quiet = open(`${EXECUTABLE} produce -q -s ${stream}`);
  quiet.press('{"a":1}\n');
  await added(stream, 1);
  quiet.press(CTRL_D);
  expect((await quiet.finished).text.replaceAll(/\^D\b|[\b]/g, '')).toBe('{"a":1}\n');
  for (const [args, message] of [
    ['- type=login', 'give - or field=value arguments, not both'],
    ['- --file x', 'give - or --file, not both'],
    ['- --follow x', 'give - or --follow, not both'],
  ]) {
    const {code, text} = await open(`${EXECUTABLE} produce ${args}`).finished;
    expect([code, text]).toEqual([2, expect.stringContaining(`streamlog: ${message}`)]);
  }
});
