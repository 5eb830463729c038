/** `top` as a person uses it, and in a pipe. */
import {describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {openPty, type Pty} from '../support/pty.js';
import {serverForEach, startRedis, until} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, shell, startShell, streamlog} from '../support/run-cli.js';
import {CTRL_C, HOSTILE} from '../support/terminal.js';

const server = serverForEach();

describe.each(RUNTIMES)('%s', (_, command) => {
  const top = `${command} top --every 50ms`;

  async function fill(): Promise<void> {
    for (let n = 1; n <= 9; n++) await server.redis.xadd('orders', '*', 'n', n);
    await server.redis.xadd('mail', '*', 'n', '1');
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
    await server.redis.xgroup('CREATE', 'orders', 'audit', '$');
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 4, 'STREAMS', 'orders', '>');
  }

  async function watching(): Promise<Pty> {
    await fill();
    const pty = await openPty({server, columns: 120, env: {NO_COLOR: '1', LC_ALL: 'C.UTF-8'}});
    pty.type(`${top}\n`);
    await pty.untilShown(/^> orders/);
    return pty;
  }

  it('shows streams and groups, brings them up to date, and ends with q', async () => {
    const pty = await watching();
    await pty.untilShown(/^ {4}billing .* 5 +\S+ .* 4 +\S+ +1$/);
    await server.redis.xadd('orders', '*', 'n', '10');
    await pty.untilShown(/^> orders +10 +[\d.]+ /);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('selects, sorts, filters, shows details with a command to copy, pauses and helps by keys', async () => {
    const pty = await watching();
    pty.type('\u001b[B');
    await pty.untilShown(/^> {3}billing/);
    pty.type('s');
    await pty.untilShown(/sort: rate/);
    pty.type('\r');
    await pty.untilShown(/^group billing of stream orders$/);
    await pty.untilShown(/^ {2}streamlog \S+ .*-s orders/);
    pty.resize(120, 45);
    await pty.untilShown(/60 s ago +now/);
    pty.type('c');
    await pty.untilShown(/^w1 +4 /);
    pty.type('p');
    await pty.untilShown(/^\d+-0 +w1 .* 1$/);
    pty.type('?');
    await pty.untilShown(/^Keys$/);
    pty.type('\u007f');
    await pty.untilShown(/^> {3}billing/);
    pty.type('/MAI\r');
    await pty.untilShown(/^> mail/);
    expect(pty.screen().text.join()).not.toContain('orders');
    pty.type(' ');
    await pty.untilShown(/^ paused; Space goes on; filter: MAI/);
    await server.redis.xadd('mail', '*', 'n', '2');
    pty.type(' ');
    await pty.untilShown(/^> mail +2 /);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it.each([40, 80, 200])('fits %i columns, also when the window changes', async (columns) => {
    const pty = await watching();
    pty.resize(columns, 20);
    await until(() => pty.screen().text[0]!.length <= columns, 'it is drawn again');
    await pty.untilShown(columns === 200 ? /MAX DEL +MEMORY$/ : /STREAM\/GROUP.*LAG +BEHIND/);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('stops by Ctrl-Z and goes on by fg', async () => {
    const pty = await watching();
    pty.type('\u001a');
    await until(() => !pty.screen().isAlternate, 'the alternate screen is left');
    await until(() => pty.settings() === pty.firstSettings, 'keys are for the shell');
    await server.redis.xadd('orders', '*', 'n', '1');
    pty.type('fg\n');
    await pty.untilShown(/^> orders +10 /);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it.each(['SIGINT', 'SIGTERM'])('leaves the terminal as it was on %s, and ends with 0', async (signal) => {
    await fill();
    const pty = await openPty({server, columns: 100, env: {NO_COLOR: '1'}});
    pty.exec(top);
    await pty.untilShown(/^> orders/);
    process.kill(pty.pid(), signal);
    await pty.untilEnded(0);
  });

  it('keeps the screen while Redis is away, and goes on when it is back', async () => {
    const own = await startRedis();
    try {
      await own.redis.xadd('orders', '*', 'n', '1');
      const pty = await openPty({server: own, columns: 100, env: {NO_COLOR: '1'}});
      pty.type(`${top} --silence 200ms --connect-timeout 200ms\n`);
      await pty.untilShown(/^> orders +1 /);
      own.process.kill('SIGSTOP');
      await pty.untilShown(/^ Redis at .* is away since /);
      await pty.untilShown(/^> orders +1 /);
      own.process.kill('SIGCONT');
      await own.redis.xadd('orders', '*', 'n', '2');
      await pty.untilShown(/^> orders +2 /);
      await until(() => !pty.screen().text.join().includes('is away'), 'it is not away any more');
      pty.type('q');
      await pty.untilEnded(0);
    } finally {
      own.process.kill('SIGCONT');
      await own.stop();
    }
  });

  it('shows names of any bytes so that the terminal does not act upon them', async () => {
    await server.redis.xadd(HOSTILE, '*', 'n', '1');
    await server.redis.xgroup('CREATE', HOSTILE, HOSTILE, '0');
    const pty = await openPty({server, columns: 120, env: {NO_COLOR: '1'}});
    pty.type(`${top}\n`);
    await pty.untilShown(/^> \\x1b/);
    pty.type('\u001b[B\r');
    await pty.untilShown(/^group \\x1b/);
    // The model of a terminal throws at what it does not know.
    await pty.untilShown(/streamlog consume -s /);
  });

  it('prints a line of JSON each time in a pipe, and no control sequence', async () => {
    await fill();
    const running = startShell(`exec ${top}`, {server});
    await until(() => running.stdout().split('\n').length > 3, 'there are three');
    running.process.kill('SIGTERM');
    const {stdout, stderr, code} = await running.finished;
    expect({stderr, code}).toEqual({stderr: '', code: 0});
    expect(stdout).not.toContain('\u001b');
    for (const line of jsonLines(stdout))
      expect(line).toMatchObject({
        streams: [{stream: 'mail'}, {stream: 'orders', groups: [{}, {}]}].reverse(),
      });
  });

  it('prints one reading with rates with --once, on a terminal as a table', async () => {
    await fill();
    const {stdout, code} = await shell(`${top} --once --sort name --groups-only | cat`, {server});
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({streams: [{stream: 'mail', addedPerSec: 0}, {stream: 'orders'}]});
    const pty = await openPty({server, columns: 100, env: {NO_COLOR: '1'}});
    pty.type(`${top} --once -n 1\n`);
    await pty.untilShown(/^ {2}orders +9 +0\.0/);
    await pty.untilShown(/^\$$/);
    expect(pty.sent()).not.toMatch(/\u001b|mail/);
  });
});

it('prints tables one below the other where TERM is dumb', async () => {
  await server.redis.xadd('orders', '*', 'n', '1');
  const pty = await openPty({server, columns: 100, env: {TERM: 'dumb'}});
  pty.type(`${EXECUTABLE} top --every 50ms\n`);
  await until(() => (pty.sent().match(/orders +1 /g) ?? []).length >= 2, 'it is shown twice');
  pty.type(CTRL_C);
  await pty.untilShown(/^\$$/);
  expect(pty.sent()).not.toContain('\u001b');
});

it('has the streams that ls, check and metrics have, dead letters among them', async () => {
  for (const name of ['orders', '{orders}:dead', '{gone}:dead']) await server.redis.xadd(name, '1-0', 'n', '1');
  const all = ['orders', '{gone}:dead', '{orders}:dead'];
  const run = (line: string) => streamlog(line.split(' '), {server});
  const named = (streams: readonly {stream: string}[]): string[] => streams.map(({stream}) => stream).sort();
  expect(named(jsonLines((await run('ls')).stdout))).toEqual(all);
  expect(named(JSON.parse((await run('top --once --json')).stdout).streams)).toEqual(all);
  expect(named(JSON.parse((await run('check --match * -w length>0 -o json')).stdout).results)).toEqual(all);
  const measured = (await run('metrics')).stdout.matchAll(/^redis_stream_length\{.*stream="([^"]+)"/gm);
  expect([...measured].map(([, name]) => name).sort()).toEqual(all);
});

it('names the columns that there are', async () => {
  const {stderr, code} = await streamlog(['top', '--columns', 'lag,nosuch'], {server});
  expect(code).toBe(2);
  expect(stderr).toMatch(/there is no column "nosuch"\nhint: columns: entries,/);
});

it('ends with 66 for a stream that was named and is not there, and with 2 for an interval of nothing', async () => {
  await server.redis.xadd('orders', '*', 'n', '1');
  const {stdout, stderr, code} = await streamlog(['top', '-s', 'order', '--once'], {server});
  expect({stdout, code}).toEqual({stdout: '', code: 66});
  expect(stderr).toMatch(/no stream "order"\nhint: .*orders/);
  expect(await streamlog(['top', '--every', '0s'], {server})).toMatchObject({code: 2});
});
