/** --trace: each command that is sent, with its time, on standard error; data and secrets as they have to be. In both artefacts. */
import {describe, expect, it} from 'vitest';
import {serve} from '../support/http.js';
import {manifest} from '../support/manifest.js';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, RUNTIMES, type RunOptions, shell} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const PASSWORD = 'zQ9x-trace';
const server = serverForAll({tcp: true, password: PASSWORD});

const TIME = / {2}\d+(\.\d\d)? ms(, [A-Z]+)?$/;
const traced = ({stderr}: Pick<Finished, 'stderr'>): string[] =>
  stderr
    .split('\n')
    .filter((line) => TIME.test(line))
    .map((line) => line.replace('streamlog: ', '').replace(TIME, ''));

describe.each(RUNTIMES)('%s', (_, program) => {
  const run = (args: string, options: RunOptions = {}): Promise<Finished> =>
    shell(`${program} ${args}`, {...options, env: {STREAMLOG_URL: `:${server.port}`, STREAMLOG_PASSWORD: PASSWORD}});

  it('shows what produce sends: one command, or a batch in one line', async () => {
    const one = await run('produce type=login --trace');
    expect(traced(one)).toEqual(['CLIENT SETNAME streamlog', 'XADD events * type login']);
    expect(one.stdout).toMatch(/^\d+-\d+\n$/);
    const input = Array.from({length: 5_000}, (_, at) => `{"n":"${at}"}\n`).join('');
    const many = traced(await run('produce --trace -q', {input}));
    const counts = many.flatMap((line) => /^XADD events … \(([\d,]+) pipelined\)$/.exec(line)?.[1] ?? []);
    expect(counts.reduce((sum, count) => sum + Number(count.replace(',', '')), 0)).toBe(5_000);
  });

  it('shows what consume reads and acknowledges', async () => {
    await run('produce --stream read a=1 -q');
    const lines = traced(await run('consume read --name w1 --exit --trace'));
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^XREADGROUP GROUP streamlog w1 COUNT \d+ .*STREAMS read >$/),
        'XACK read streamlog … (1 ID)',
      ]),
    );
  });

  it('never shows a password, says what was refused, and changes no data', async () => {
    const plain = await run('range --json');
    const loud = await run('range --json --trace -v', {});
    expect(loud.stdout).toBe(plain.stdout);
    expect(loud.stderr).not.toContain(PASSWORD);
    expect(loud.stderr).not.toMatch(/AUTH|HELLO/);
    const refused = await run('info missing --trace');
    expect(refused.stderr).toMatch(/^streamlog: XINFO STREAM missing {2}[\d.]+ ms, ERR$/m);
  });
});

it('is a flag of every command that uses a server', () => {
  const without = Object.entries(manifest.commands).filter(([, {flags}]) => 'context' in flags && !('trace' in flags));
  expect(without.map(([id]) => id)).toEqual([]);
});

it('shows what serve adds', async () => {
  const served = await serve(['--trace'], {server, env: {STREAMLOG_PASSWORD: PASSWORD}});
  await served.post('/streams/orders', '{"a":"1"}');
  served.process.kill('SIGTERM');
  expect(traced(await served.finished)).toContain('XADD orders * a 1');
});

it('is readable on a terminal, whatever the data is', async () => {
  const env = {STREAMLOG_URL: `:${server.port}`, STREAMLOG_PASSWORD: PASSWORD};
  const {text} = await onTerminal(['produce', 'a=\u001b[31m\u202e', '--trace'], {env});
  expect(text).toContain('XADD events * a "\\x1b[31m\\xe2\\x80\\xae"');
});
