import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {type HandlerOptions, runHandler} from '../../../src/lib/handler/run-handler.js';
import type {StreamRecord} from '../../../src/lib/records/entry.js';
import {until} from '../../support/redis-server.js';

const record: StreamRecord = {
  stream: 'orders',
  id: '5-1',
  fields: [['item', '$(touch /tmp/pwned) `id` "']],
  group: 'g',
  consumer: 'w',
  deliveries: 3,
};
const never = new AbortController().signal;

function options(
  command: string,
  more: Partial<HandlerOptions> = {},
): HandlerOptions & {out: () => string; err: () => string} {
  let out = '';
  let err = '';
  return {
    command,
    environment: {PATH: process.env.PATH},
    onStart: () => {},
    onEnd: () => {},
    signalGroup: (pid, signal) => {
      try {
        process.kill(-pid, signal);
      } catch {}
    },
    writeOut: async (lines) => {
      out += lines.toString();
    },
    writeErr: async (lines) => {
      err += lines.toString();
    },
    out: () => out,
    err: () => err,
    ...more,
  };
}

test.each([
  ['exit 0', {kind: 'done'}],
  ['exit 65', {kind: 'rejected', reason: 'exit code 65'}],
  ['exit 1', {kind: 'failed', reason: 'exit code 1'}],
  ['kill -9 $$', {kind: 'failed', reason: 'signal SIGKILL'}],
  ['no-such-program', {kind: 'cannotRun', reason: 'exit code 127', isSetup: false, isTooLarge: false}],
  ['/', {kind: 'cannotRun', reason: 'exit code 126', isSetup: false}],
  ['exec <&-; exit 0', {kind: 'done'}],
])('%s means %o', async (command, outcome) => {
  expect(await runHandler([record], options(command), never)).toMatchObject(outcome);
});

test.each([
  ['no shell', {environment: {PATH: '/nonexistent'}}, 'ENOENT'],
  ['a command longer than an argument may be', {command: `true ${'x'.repeat(200_000)}`}, 'E2BIG'],
  ['an environment that is too large', {environment: {PATH: process.env.PATH, LARGE: 'x'.repeat(200_000)}}, 'E2BIG'],
])('%s is the set-up, and cannot be the entry', async (_, more, reason) => {
  const outcome = await runHandler([record], options('true', more), never);
  expect(outcome).toMatchObject({kind: 'cannotRun', reason, isSetup: true});
});

test('records that are larger than one argument may be are known as such', async () => {
  const large: StreamRecord = {...record, fields: [['blob', 'x'.repeat(131_072)]]};
  expect(await runHandler([large], options('/bin/echo "$(cat)"'), never)).toMatchObject({
    kind: 'cannotRun',
    reason: 'exit code 126',
    isTooLarge: true,
  });
});

test('the record is data: NDJSON on standard input and names in the environment', async () => {
  const handler = options(
    'cat; echo "$STREAMLOG_ID $STREAMLOG_STREAM $STREAMLOG_GROUP $STREAMLOG_DELIVERIES $STREAMLOG_COUNT" >&2',
  );

  await runHandler([record], handler, never);

  expect(JSON.parse(handler.out())).toEqual({
    stream: 'orders',
    id: '5-1',
    fields: {item: '$(touch /tmp/pwned) `id` "'},
    group: 'g',
    consumer: 'w',
    deliveries: 3,
  });
  expect(handler.err()).toBe('5-1 orders g 3 1\n');
});

test.each([
  ['orders', 'orders'],
  ['a\udcffb', '{"$b64":"Yf9i"}'],
  ['a\0b', '{"$b64":"YQBi"}'],
])('a stream and group called %j are %s in the environment', async (name, variable) => {
  const handler = options('printf "%s %s" "$STREAMLOG_STREAM" "$STREAMLOG_GROUP"');

  expect(await runHandler([{...record, stream: name, group: name}], handler, never)).toEqual({kind: 'done'});

  expect(handler.out()).toBe(`${variable} ${variable}\n`);
});

test('a batch is as many lines, and counted', async () => {
  const handler = options('wc -l; echo "$STREAMLOG_COUNT$STREAMLOG_ID"');

  await runHandler([record, {...record, id: '5-2'}], handler, never);

  expect(handler.out()).toBe('2\n2\n');
});

test('a handler that ignores SIGTERM is killed with all it started', async () => {
  const pidFile = join(mkdtempSync(join(tmpdir(), 'streamlog-test-')), 'pid');
  const handler = options(`trap "" TERM; (trap "" TERM; exec sleep 1000) & echo $! >${pidFile}; wait; wait`, {
    timeoutMs: 100,
  });

  expect(await runHandler([record], handler, never)).toEqual({kind: 'failed', reason: 'it ran longer than 100ms'});

  await until(() => !alive(Number(readFileSync(pidFile, 'utf8'))), 'the grandchild is gone');
});

test('a child left behind with our pipe does not hold up the outcome', async () => {
  const handler = options('sleep 1000 & echo $!');

  expect(await runHandler([record], handler, never)).toEqual({kind: 'done'});

  process.kill(Number(handler.out()), 'SIGKILL');
});

test('giving up ends the process', async () => {
  const giveUp = new AbortController();
  const running = runHandler([record], options('sleep 1000'), giveUp.signal);

  giveUp.abort();

  expect(await running).toEqual({kind: 'failed', reason: 'it was given up'});
});

test('what a handler that was ended leaves behind is killed, though the handler itself has gone', async () => {
  const pidFile = join(mkdtempSync(join(tmpdir(), 'streamlog-test-')), 'pid');
  const child = 'trap "" TERM; echo $$ >"$0"; exec 1>&- 2>&-; while :; do sleep 0.1; done';
  const handler = options(
    `sh -c '${child}' ${pidFile} & until [ -s ${pidFile} ]; do sleep 0.02; done; sleep 1000 & wait`,
    {
      timeoutMs: 300,
    },
  );

  expect(await runHandler([record], handler, never)).toEqual({kind: 'failed', reason: 'it ran longer than 300ms'});

  await until(() => !alive(Number(readFileSync(pidFile, 'utf8'))), 'what it left behind is gone');
});

test('giving up after the handler has ended signals nobody', async () => {
  const giveUp = new AbortController();
  const signals: string[] = [];
  const handler = options('exit 1', {signalGroup: (_, signal) => signals.push(signal)});

  await runHandler([record], handler, giveUp.signal);
  giveUp.abort();

  expect(signals).toEqual([]);
});

test('output that is being taken is no silence: what comes behind it is taken too', async () => {
  const begun = join(mkdtempSync(join(tmpdir(), 'streamlog-test-')), 'begun');
  // More than is read ahead stays in the pipe, which the child that is left behind keeps open.
  const print = `echo; until [ -e ${begun} ]; do sleep 0.02; done; yes | head -c 120000`;
  let bytes = 0;
  const handler = options(`sleep 1000 2>/dev/null & echo $! >&2; ${print}`, {
    writeOut: async (lines) => {
      writeFileSync(begun, '');
      // Longer than a process that has ended may be silent.
      if (bytes === 0) await sleep(700);
      bytes += lines.length;
    },
  });

  expect(await runHandler([record], handler, never)).toEqual({kind: 'done'});
  process.kill(Number(handler.err()), 'SIGKILL');
  expect(bytes).toBe(120_001);
});

test('all output is taken before it counts as done, however slow the reader', async () => {
  let bytes = 0;
  const handler = options('head -c 3000000 /dev/zero | tr "\\0" x', {
    writeOut: async (lines) => {
      await sleep(bytes === 0 ? 700 : 5);
      bytes += lines.length;
    },
  });

  expect(await runHandler([record], handler, never)).toEqual({kind: 'done'});
  expect(bytes).toBe(3_000_001);
});

test('an output that cannot be written ends the process and is what is thrown', async () => {
  const handler = options('yes', {writeOut: () => Promise.reject(new Error('no reader'))});

  await expect(runHandler([record], handler, never)).rejects.toThrow('no reader');
});

test('lines of handlers that run side by side are never mixed', async () => {
  let out = '';
  const write = async (lines: Buffer): Promise<void> => {
    await sleep(1);
    out += lines.toString();
  };
  const print = (letter: string): string =>
    `for i in 1 2 3 4 5 6 7 8; do printf ${letter}; sleep 0.01; printf '${letter}\\n'; done; printf ${letter}${letter}`;

  await Promise.all(
    ['a', 'b', 'c'].map((letter) => runHandler([record], options(print(letter), {writeOut: write}), never)),
  );

  expect(out.trimEnd().split('\n').sort().join(' ')).toBe(
    [...'abc']
      .map((letter) =>
        Array(9)
          .fill(letter + letter)
          .join(' '),
      )
      .join(' '),
  );
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
