/** What `consume` says to a person at a terminal: what it waits for, made, ignores, finishes and did; and nothing of it in a pipe. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {serverForAll, until, userUrl} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, streamlog} from '../support/run-cli.js';
import {CTRL_C, type Open, openTerminal, unwrapped} from '../support/terminal.js';

const server = serverForAll();

afterEach(() => server.redis.flushall());

/** Lines that are notes, without the name in front. */
const notesIn = (text: string): string[] =>
  unwrapped(text)
    .split('\n')
    .flatMap((line) => (line.startsWith('streamlog: ') ? [line.slice(11)] : []));

const shows = (open: Open, text: string): Promise<void> =>
  until(() => unwrapped(open.text()).includes(text), `it shows "${text}"`);

const consumers = async (stream: string, group: string): Promise<unknown[]> =>
  (await server.redis.xinfo('CONSUMERS', stream, group)) as unknown[];

describe.each(RUNTIMES)('on a terminal, with %s', (_name, program) => {
  const consume = (args: string, columns = 80) => openTerminal(`${program} consume ${args}`, {server, columns});

  it.each([40, 80, 120])('says what it made, that it waits, and how much it did, at %i columns', async (columns) => {
    const open = consume('-s orders -g billing --name w1', columns);
    await shows(open, 'Ctrl-C ends');
    await server.redis.xadd('orders', '1-0', 'a', '1');
    await until(
      async () => (await server.redis.xpending('orders', 'billing'))[0] === 0 && /1-0/.test(open.text()),
      'it is done',
    );
    open.press(CTRL_C);
    const {code, text} = await open.finished;
    expect(code).toBe(130);
    expect(notesIn(text)).toEqual([
      'created stream orders and group billing',
      'waiting for entries of orders as billing/w1; Ctrl-C ends',
      '1 written, 1 acknowledged',
    ]);
  });

  it('says what Ctrl-C finishes, and finishes it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-words-'));
    const go = join(directory, 'go');
    execFileSync('mkfifo', [go]);
    await server.redis.xadd('orders', '1-0', 'a', '1');
    const open = consume(`-s orders -g billing --name w1 --exec 'echo began; read -r go < ${go}; echo ended'`);
    await shows(open, 'began\n');
    open.press(CTRL_C);
    await shows(open, 'leaves now');
    writeFileSync(go, 'go\n');
    const {code, text} = await open.finished;
    expect(code).toBe(130);
    expect(notesIn(text)).toEqual([
      'created group billing on orders, from the start',
      'finishing 1 entry; Ctrl-C again leaves now',
      '1 acknowledged',
    ]);
    expect(text).toContain('^C\nstreamlog: finishing');
    rmSync(directory, {recursive: true});
  });

  it('leaves at once at the second Ctrl-C', async () => {
    await server.redis.xadd('orders', '1-0', 'a', '1');
    const open = consume(`-s orders -g billing --name w1 --exec 'echo began; trap "" INT; sleep 60'`);
    await shows(open, 'began\n');
    open.press(CTRL_C);
    await shows(open, 'leaves now');
    open.press(CTRL_C);
    expect((await open.finished).code).toBe(130);
    expect((await server.redis.xpending('orders', 'billing'))[0]).toBe(1);
  });
});

describe('on a terminal', () => {
  const consume = async (args: string) =>
    notesIn((await openTerminal(`${EXECUTABLE} consume ${args}`, {server}).finished).text);

  it('says where an existing group continues when --from was typed, and how to move it', async () => {
    await server.redis.xgroup('CREATE', 'my orders', 'billing', '7-0', 'MKSTREAM');
    expect(await consume('-s "my orders" -g billing --from start --exit')).toEqual([
      "group billing exists and continues after 7-0; to move it: streamlog group seek billing --stream 'my orders' --to start",
      '0 written, 0 acknowledged',
    ]);
    expect(await consume('-s "my orders" -g billing --exit')).toEqual(['0 written, 0 acknowledged']);
  });

  it.each([
    ['end', 'for new entries'],
    ['5-0', 'from 5-0'],
    ['-3', 'from the last 3'],
  ])('says that a new group starts at %s', async (from, said) => {
    await server.redis.xadd('orders', '1-0', 'a', '1');
    expect((await consume(`-s orders -g billing --from=${from} --exit`))[0]).toBe(
      `created group billing on orders, ${said}`,
    );
  });

  it('says which flags have no effect', async () => {
    expect(await consume('-s orders -g billing --exit --max-deliver 3 --dead-letter dead')).toContain(
      '--max-deliver and --dead-letter have no effect without --exec',
    );
  });

  it('names a stream that was probably meant, beside the one that it made', async () => {
    await server.redis.xadd('orders', '1-0', 'a', '1');
    expect((await consume('-s oders -g billing --exit'))[0]).toBe(
      'created stream oders and group billing; did you mean orders?',
    );
  });

  it('counts what is not acknowledged, and failures', async () => {
    await server.redis.xadd('orders', '1-0', 'a', '1');
    await server.redis.xadd('orders', '2-0', 'a', '1');
    expect((await consume('-s orders -g none --ack none --exit')).at(-1)).toBe('2 written');
    expect((await consume('-s orders -g dead --exec "exit 65" --exit')).at(-1)).toBe('0 acknowledged, 2 dead letters');
  });

  it('counts nothing where no group was joined', async () => {
    expect(await consume('-s orders --no-create --exit')).toEqual(['no stream "orders"']);
  });

  it('--quiet says nothing', async () => {
    expect(await consume('-s new -g billing --from end --exit -q')).toEqual([]);
  });
});

describe('in a pipe', () => {
  it('says none of it, and with --verbose what it made and what it waits for', async () => {
    const run = (...args: string[]) => streamlog(['consume', '-s', 'orders', ...args], {server});
    expect(await run('-g quiet', '--from', 'end', '--exit')).toMatchObject({code: 0, stdout: '', stderr: ''});
    const {stderr} = await run('-g', 'loud', '--name', 'w1', '--wait', '1200ms', '-v');
    expect(notesIn(stderr)).toEqual(
      expect.arrayContaining([
        'created group loud on orders, from the start',
        'waiting for 1s for entries of orders as loud/w1; Ctrl-C ends',
      ]),
    );
  });

  it('removes a consumer without a name of its own, unless entries are pending with it', async () => {
    await server.redis.xadd('orders', '1-0', 'a', '1');
    const run = (...args: string[]) => streamlog(['consume', '-s', 'orders', '--exit', ...args], {server});
    expect((await run('-g', 'done')).stdout).toContain('1-0');
    expect(await consumers('orders', 'done')).toEqual([]);
    expect((await run('-g', 'left', '--ack', 'none')).stdout).toContain('1-0');
    expect(await consumers('orders', 'left')).toHaveLength(1);
    await run('-g', 'named', '--name', 'w1');
    expect(await consumers('orders', 'named')).toHaveLength(1);
  });

  it('does not report that a user may not remove consumers', async () => {
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0', 'MKSTREAM');
    const url = await userUrl(server, '~*', '+xreadgroup', '+xack', '+xpending');
    const run = await streamlog(['consume', '-s', 'orders', '-g', 'billing', '--exit', '--url', url]);
    expect(run).toMatchObject({code: 0, stderr: ''});
  });
});
