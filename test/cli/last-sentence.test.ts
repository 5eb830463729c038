/** What a command says at a terminal while it waits, and at its end; a pipe gets hardly any of it. */
import {execFileSync} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {serverForAll, until} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, streamlog} from '../support/run-cli.js';
import {CTRL_C, type Open, openTerminal, unwrapped} from '../support/terminal.js';

const server = serverForAll();
const directory = mkdtempSync(join(tmpdir(), 'last-sentence-'));
const file = join(directory, 'three.ndjson');
const fifo = join(directory, 'input');
execFileSync('mkfifo', [fifo]);
/** Open, and nothing is ever written there. */
const writer = openSync(fifo, 'r+');

afterAll(() => {
  closeSync(writer);
  rmSync(directory, {recursive: true});
});
beforeEach(async () => {
  await server.redis.flushall();
  writeFileSync(file, '{"a":1}\n{"a":2}\n{"a":3}\n');
  for (let n = 1; n <= 5; n++) await server.redis.xadd('orders', `${n}-0`, 'n', String(n));
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 3, 'STREAMS', 'orders', '>');
});

const open = (line: string, program = EXECUTABLE): Open =>
  openTerminal(line.replaceAll('streamlog', program), {server});

/** Notes without the name in front; times as TIME and IDs as ID. */
const notesIn = (text: string): string[] =>
  unwrapped(text.replaceAll(/\r?\u001b\[K|\r/g, '\n'))
    .split('\n')
    .flatMap((line) => (line.startsWith('streamlog: ') ? [line.slice(11)] : []))
    .map((line) => line.replace(/\d+\.\d+ s/, 'TIME').replace(/\d{13}-\d+/, 'ID'));

const notesOf = async (line: string): Promise<string[]> => notesIn((await open(line).finished).text);

it.each([
  ['streamlog produce -s orders a=1', ['added 1 entry to orders in TIME']],
  ['streamlog produce -s orders a=1 --count 1200', ['added 1,200 entries to orders in TIME']],
  [`streamlog produce -s orders < ${file}`, ['added 3 entries to orders in TIME']],
  [
    `streamlog produce -s oders < ${file}`,
    ['created stream oders; did you mean orders?', 'added 3 entries to oders in TIME'],
  ],
  ['streamlog tail -s orders --no-follow', ['printed 5 entries']],
  [
    'streamlog dlq purge -s oders',
    ['there is no stream "oders"; did you mean orders?', 'deleted 0 dead letters; 0 left'],
  ],
  ['streamlog dlq redrive -s oders', ['0 put back', 'there is no stream "oders"; did you mean orders?']],
  ['streamlog dlq show -s orders', ['printed 0 entries', 'no matching dead letters in "{orders}:dead"']],
  ['streamlog range -s orders 2-0 3-0', ['printed 2 entries']],
  ['streamlog range -s orders 7-0', ['printed 0 entries']],
  ['streamlog get -s orders 2-0', ['printed 1 entry']],
  ['streamlog trim -s orders --maxlen 5', ['removed 0 entries of orders in TIME; 5 are left']],
  ['streamlog delete -s orders 5-0 --force', ['deleted 1 entry']],
  ['streamlog ack -s orders -g billing 1-0 2-0', ['acknowledged 2 entries of orders in group billing']],
  ['streamlog nack -s orders -g billing 1-0', ['released 1 entry of orders in group billing']],
  ['streamlog claim -s orders -g billing --consumer w1 --to w2', ['claimed 3 for "w2"']],
  ['streamlog group create audit -s orders', ['created group audit on orders, after 0-0']],
  ['streamlog group create audit -s oders', ['created stream oders and group audit; did you mean orders?']],
  [
    'streamlog group create billing -s orders --from end',
    [
      'group "billing" already exists on stream "orders", at 3-0; to move it: streamlog group seek billing --stream orders --to end',
    ],
  ],
  ['streamlog group remove billing -s orders --force', ['removed group billing of orders']],
])('on a terminal, %s ends with a sentence', async (line, said) => {
  expect(await notesOf(line)).toEqual(said);
});

it('on a terminal and in a pipe, a finished --resume says that it is complete', async () => {
  const args = ['produce', '-s', 'orders', '--file', file, '--resume'];
  const complete = `${file} was added completely before; nothing to do`;
  expect(await notesOf(`streamlog ${args.join(' ')}`)).toEqual(['added 3 entries to orders in TIME']);
  expect(await notesOf(`streamlog ${args.join(' ')}`)).toEqual([complete]);
  expect(notesIn((await streamlog(args, {server})).stderr)).toEqual([
    'read 0, added 0, rejected 0, unconfirmed 0',
    complete,
  ]);
  writeFileSync(file, '{"a":1}\n{"a":2}\n{"a":3}\n{"a":4}');
  expect((await notesOf(`streamlog ${args.join(' ')}`)).join()).not.toContain('completely');
});

it('in a pipe, one entry is an ID and nothing else', async () => {
  expect(await streamlog(['produce', '-s', 'new', 'a=1'], {server})).toMatchObject({code: 0, stderr: ''});
  expect(await streamlog(['tail', '-s', 'orders', '--no-follow'], {server})).toMatchObject({code: 0, stderr: ''});
  expect(await streamlog(['ack', '-s', 'orders', '-g', 'billing', '1-0'], {server})).toMatchObject({stderr: ''});
});

it.each([
  [
    'claim --consumer w9 --to w2',
    ['claimed 0 for "w2"', 'group billing on orders has no consumer w9; did you mean w1?'],
  ],
  [
    'claim --consumer other --to w2',
    ['claimed 0 for "w2"', 'group billing on orders has no consumer other; consumers: w1'],
  ],
  ['pending --consumer w9', ['group billing on orders has no consumer w9; did you mean w1?']],
  ['pending --consumer w9 --details', ['group billing on orders has no consumer w9; did you mean w1?']],
])('%s names the consumers that there are', async (line, said) => {
  const run = await streamlog([...line.split(' '), '-s', 'orders', '-g', 'billing'], {server});
  expect([run.code, notesIn(run.stderr)]).toEqual([0, said]);
  expect(await server.redis.xinfo('CONSUMERS', 'orders', 'billing')).toHaveLength(1);
});

describe.each(RUNTIMES)('with %s', (_name, program) => {
  it.each([
    [
      `streamlog produce -s orders < ${fifo}`,
      'waiting for records on standard input; Ctrl-C ends',
      'added 0 entries to orders in TIME',
    ],
    [
      `streamlog ack -s orders -g billing < ${fifo}`,
      'waiting for IDs on standard input; Ctrl-C ends',
      'nothing to acknowledge',
    ],
    ['streamlog tail -s orders -n 0', 'waiting for new entries of orders; Ctrl-C ends', 'printed 0 entries'],
    [
      'streamlog tail -s oders',
      'there is no stream "oders" yet; waiting for it; did you mean orders?',
      'printed 0 entries',
    ],
  ])('%s says once what it waits for', async (line, waits, end) => {
    const running = open(line, program);
    await until(() => running.text().includes(waits), 'it says what it waits for');
    running.press(CTRL_C);
    expect(notesIn((await running.finished).text)).toEqual([waits, end]);
  });

  it('produce says what Ctrl-C finishes, and finishes it', async () => {
    await server.redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const running = open(`streamlog produce -s orders --file ${file} --silence 60s`, program);
    await until(
      async () => /flags=\S*b\S* .*cmd=xadd/.test(String(await server.redis.call('CLIENT', 'LIST'))),
      'records were sent and are not confirmed',
    );
    running.press(CTRL_C);
    await until(() => running.text().includes('leaves now'), 'it says what it finishes');
    await server.redis.call('CLIENT', 'UNPAUSE');
    const {code, text} = await running.finished;
    expect(code).toBe(130);
    expect(notesIn(text)).toEqual(
      expect.arrayContaining(['finishing 3 records; Ctrl-C again leaves now', 'added 3 entries to orders in TIME']),
    );
    expect(await server.redis.xlen('orders')).toBe(8);
  });
});
