/** `info --watch` where a person watches: on the alternate screen, which every way out leaves. */
import {describe, expect, it} from 'vitest';
import {isAlive} from '../support/consuming.js';
import {openPty, type Pty} from '../support/pty.js';
import {serverForEach, startRedis, until} from '../support/redis-server.js';
import {RUNTIMES, startStreamlog, streamlog} from '../support/run-cli.js';
import {CTRL_C} from '../support/terminal.js';

const server = serverForEach();

describe.each(RUNTIMES)('%s', (_, command) => {
  const watch = `${command} info orders --watch 50ms`;

  async function fill(): Promise<void> {
    for (let n = 1; n <= 3; n++) await server.redis.xadd('orders', '*', 'n', n);
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  }

  /** A shell, and the watch in it. */
  async function watching(): Promise<Pty> {
    await fill();
    const pty = await openPty({server, columns: 100, env: {NO_COLOR: '1'}});
    pty.type(`${watch}\n`);
    await pty.untilShown(/^entries +3$/);
    return pty;
  }

  it('changes what has changed, in place, with rates', async () => {
    const pty = await watching();
    expect(pty.screen()).toMatchObject({isAlternate: true, cursorShown: false});
    for (let n = 1; n <= 5; n++) await server.redis.xadd('orders', '*', 'n', n);
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 4, 'STREAMS', 'orders', '>');
    await pty.untilShown(/^entries +8$/);
    await pty.untilShown(/^entries added +8 +\([\d.]+\/s\)$/);
    await pty.untilShown(/^group +consumers +pending +lag +oldest unread +delivered +done +last delivered$/);
    await pty.untilShown(/^billing +1 +4 +4 +\S+ +[\d.]+\/s +[\d.]+\/s +\d+-0$/);
    // The name of the stream was written once.
    expect(pty.sent().match(/stream +orders/g)).toHaveLength(1);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('fits the window, and another one when it changes; what does not fit can be scrolled to', async () => {
    const pty = await watching();
    pty.resize(60, 8);
    await pty.untilShown(/^\d\d:\d\d:\d\d +every 50ms +q quits, arrows scroll +\d+ more below$/);
    await pty.untilShown(/^stream +orders$/);
    expect(pty.screen().text.join()).not.toMatch(/billing/);
    pty.type('\u001b[B');
    await until(() => !pty.screen().text.join().includes('orders'), 'it has moved');
    pty.type('\u001b[F');
    await pty.untilShown(/^billing/);
    pty.resize(100, 30);
    pty.type('\u001b[H');
    await pty.untilShown(/^\d\d:\d\d:\d\d +every 50ms +q quits$/);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('stops by Ctrl-Z and goes on by fg', async () => {
    const pty = await watching();
    for (let time = 1; time <= 2; time++) {
      pty.type('\u001a');
      await until(() => !pty.screen().isAlternate, 'the alternate screen is left');
      await until(() => pty.settings() === pty.firstSettings, 'keys are for the shell');
      await pty.untilShown(/^\$$/);
      pty.type(`echo "in between ${time}"\n`);
      await pty.untilShown(new RegExp(`^in between ${time}$`));
      await server.redis.xadd('orders', '*', 'n', 1);
      pty.type('fg\n');
      await pty.untilShown(new RegExp(`^entries +${3 + time}$`));
      expect(pty.screen().isAlternate).toBe(true);
    }
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('leaves the terminal as it was on Ctrl-C', async () => {
    const pty = await watching();
    pty.type(CTRL_C);
    await pty.untilEnded(130);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ])('leaves the terminal as it was on %s', async (signal, code) => {
    await fill();
    const pty = await openPty({server, columns: 100, env: {NO_COLOR: '1'}});
    pty.exec(watch);
    await pty.untilShown(/^entries +3$/);
    process.kill(pty.pid(), signal);
    await pty.untilEnded(code);
  });

  it('leaves the terminal as it was when it fails, and then says why', async () => {
    const own = await startRedis();
    try {
      await own.redis.xadd('orders', '1-0', 'n', '1');
      const pty = await openPty({server: own, columns: 100});
      pty.type(`${watch} --retry-for 100ms\n`);
      await pty.untilShown(/^entries +1$/);
      own.process.kill('SIGKILL');
      await pty.untilShown(/^streamlog: /);
      await pty.untilEnded(69);
    } finally {
      await own.stop();
    }
  });

  it('ends when the window is closed', async () => {
    await fill();
    const pty = await openPty({server, columns: 100});
    pty.exec(watch);
    await pty.untilShown(/^entries +3$/);
    const pid = pty.pid();
    pty.close();
    await until(() => !isAlive(pid), 'it has ended');
  });

  it('waits for a stream that is gone, and says when it began anew', async () => {
    const pty = await watching();
    await server.redis.del('orders');
    await pty.untilShown(/^no stream "orders" at the moment$/);
    await pty.untilShown(/^stream "orders" is gone; waiting for it to begin anew$/);
    await server.redis.xadd('orders', '1-0', 'n', '1');
    await pty.untilShown(/^entries +1$/);
    await pty.untilShown(/^stream "orders" has begun anew$/);
    pty.type('q');
    await pty.untilEnded(0);
  });

  it('writes no control sequence where TERM is dumb', async () => {
    await fill();
    const pty = await openPty({server, columns: 100, env: {TERM: 'dumb'}});
    pty.type(`${watch}\n`);
    await until(() => (pty.sent().match(/entries +3/g) ?? []).length >= 2, 'it is shown twice');
    pty.type(CTRL_C);
    await pty.untilShown(/^\$$/);
    expect(pty.sent()).not.toContain('\u001b');
  });
});

it('in a pipe, is a line of JSON each time, as without --watch, and warns when a stream begins anew', async () => {
  await server.redis.xadd('orders', '5-0', 'n', '1');
  const running = startStreamlog(['info', 'orders', '--watch', '20ms'], {server});
  await until(() => running.stdout().includes('"lastId":"5-0"'), 'the first one is shown');
  await server.redis.multi().del('orders').xadd('orders', '1-0', 'n', '1').exec();
  await until(() => running.stdout().includes('"lastId":"1-0"'), 'the other one is shown');
  running.process.kill('SIGINT');
  const {stdout, stderr} = await running.finished;
  const [line] = stdout.split('\n');
  expect(Object.keys(JSON.parse(line!))).not.toContain('addedPerSec');
  expect(stderr).toBe('streamlog: warning: stream "orders" has begun anew\n');
});

it('refuses an interval of nothing', async () => {
  expect(await streamlog(['info', '--watch', '0s'], {server})).toMatchObject({code: 2});
});
