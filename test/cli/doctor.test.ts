/** `doctor`: each finding in a scene that has it and nothing else, its commands as they are printed, and no false alarm. */
import {parse} from 'csv-parse/sync';
import {beforeAll, describe, expect, it} from 'vitest';
import {cellsOf} from '../../src/lib/output/cell-width.js';
import {SCENES} from '../support/doctor-scenes.js';
import {type FoundFinding, pasteForAll} from '../support/findings.js';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, serverForAll, startRedis} from '../support/redis-server.js';
import {type Finished, RUNTIMES, type RunOptions, shell, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const ofStreams = Array.from({length: 17}, (_, n) => `D${String(n + 1).padStart(2, '0')}`);

const {paste} = pasteForAll();

/** What is found of streams and groups. */
async function findings(server: RedisServer, args: string[] = [], options: RunOptions = {}): Promise<FoundFinding[]> {
  const {code, stdout, stderr} = await streamlog(['doctor', '--json', ...args], {server, ...options});
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return jsonLines<FoundFinding>(stdout).filter(({id}) => ofStreams.includes(id));
}

async function withServer<T>(work: (server: RedisServer) => Promise<T>): Promise<T> {
  const server = await startRedis();
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

describe.concurrent.each(SCENES)('$id, $what', (scene) => {
  it('is found, and nothing else, and mended by each of the commands that are printed', async () => {
    let mends = 1;
    for (let at = 0; at < mends; at++) {
      await withServer(async (server) => {
        await scene.arrange(server.redis);

        const [found, ...others] = await findings(server);

        expect(others).toEqual([]);
        expect(found).toMatchObject({id: scene.id, stream: 'orders', group: scene.group ?? null});
        mends = found!.mend.length;
        if (at === 0)
          for (const line of found!.look) expect([line, await paste(line, {server})]).toMatchObject([line, {code: 0}]);
        if (mends === 0) return;
        const line = found!.mend[at]!;
        expect([line, await paste(line, {server})]).toMatchObject([
          line,
          {code: 0, stderr: expect.not.stringContaining('hint:')},
        ]);
        expect((await findings(server)).map(({id}) => id)).not.toContain(scene.id);
      });
    }
  });
});

describe.concurrent('what is asked for', () => {
  const server = serverForAll();
  const LONG = 'a-stream-whose-name-is-longer-than-a-narrow-terminal-is-wide';
  const run = (...args: string[]): Promise<Finished> => streamlog(['doctor', ...args], {server});

  beforeAll(async () => {
    const {redis} = server;
    await redis.xadd(`{${LONG}}:dead`, '*', 'n', '1');
    for (const stream of [LONG, HOSTILE]) {
      await redis.xadd(stream, '5-1', 'field-of-it', 'value-of-it', HOSTILE, HOSTILE);
      await redis.xgroup('CREATE', stream, stream, '9-0');
      await redis.xgroup('CREATE', stream, 'busy', '0');
      await redis.xreadgroup('GROUP', 'busy', 'w1', 'STREAMS', stream, '>');
      await redis.call('XCLAIM', stream, 'busy', 'w1', '0', '5-1', 'RETRYCOUNT', '20', 'FORCE', 'JUSTID');
    }
  });

  it('--fail-on ends with 75 when there is something of this level, or worse', async () => {
    const codes = async (...args: string[]): Promise<(number | null)[]> =>
      Promise.all(['bad', 'warn'].map(async (level) => (await run(...args, '--fail-on', level)).code));
    expect(await codes(LONG, '--only', 'D15')).toEqual([0, 75]);
    expect(await codes(LONG, '--only', 'D11')).toEqual([75, 75]);
    expect(await codes(LONG, '--only', 'D14')).toEqual([0, 0]);
  });

  it('--only takes IDs and names, and no others', async () => {
    const {stdout} = await run(LONG, '--only', 'd11,dead letters', '--json');
    expect(jsonLines<FoundFinding>(stdout).map(({id}) => id)).toEqual(['D11', 'D15']);
    expect(await run('--only', 'D99')).toMatchObject({
      code: 2,
      stderr: 'streamlog: --only: there is no finding "D99"\nhint: see: streamlog doctor --list\n',
    });
  });

  it('a group alone, without its stream', async () => {
    const {stdout} = await run(LONG, '-g', LONG, '--json');
    expect(jsonLines<FoundFinding>(stdout).map(({id, group}) => [id, group])).toEqual([['D11', LONG]]);
    expect(await run(LONG, '-g', 'none')).toMatchObject({code: 66, stdout: ''});
    expect(await run('-g', 'none')).toMatchObject({code: 66, stdout: ''});
    expect(await run('none')).toMatchObject({code: 66, stdout: ''});
  });

  it('data of entries only with --payload', async () => {
    for (const shape of ['table', 'json', 'csv', 'tsv']) {
      const [without, whole] = await Promise.all([run(LONG, '-o', shape), run(LONG, '-o', shape, '--payload')]);
      expect(without.stdout + without.stderr).not.toMatch(/(field|value)-of-it/);
      expect(whole.stdout).toMatch(/field-of-it.*value-of-it/);
    }
  });

  it('--deep finds what is behind the first 100 pending entries', async () => {
    const {redis} = server;
    const ids = Array.from({length: 1_234}, (_, n) => `7-${n}`);
    for (const id of ids) await redis.xadd('deep', id, 'n', '1');
    await redis.xgroup('CREATE', 'deep', 'billing', '0');
    await redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', 'deep', '>');
    await redis.call('XCLAIM', 'deep', 'billing', 'w1', '0', ...ids.slice(200), 'IDLE', '61000', 'JUSTID');
    await redis.xdel('deep', ...ids.slice(1_000));
    const findings = async (...args: string[]): Promise<FoundFinding[]> =>
      jsonLines<FoundFinding>((await run('deep', '--json', ...args)).stdout);

    expect(await findings()).toEqual([]);
    const [found, ...others] = await findings('--deep');
    expect(others).toEqual([]);
    expect(found).toMatchObject({id: 'D06', seen: {entries: 234, exact: true, ids: ids.slice(1_000)}});
    // More than fit in a line: they are asked for again.
    expect(found!.mend[0]).toContain("| jq -r '.seen.ids[]' | streamlog ack");
    expect(await paste(found!.mend[0]!, {server})).toMatchObject({code: 0});
    expect(await findings('--deep')).toEqual([]);
  });

  it('CSV and TSV have the fields of JSON', async () => {
    const [json] = jsonLines<Record<string, unknown>>((await run(LONG, '--only', 'D11', '-o', 'json')).stdout);
    const csv = (await run(LONG, '--only', 'D11', '-o', 'csv')).stdout;
    const [row] = parse(csv, {columns: true, recordDelimiter: '\r\n'}) as Record<string, string>[];
    for (const name of ['id', 'level', 'name', 'stream', 'group', 'what', 'why']) expect(row![name]).toBe(json![name]);
    for (const name of ['seen', 'look', 'mend']) expect(JSON.parse(row![name]!)).toEqual(json![name]);
    expect((await run(LONG, '--only', 'D14', '-o', 'tsv')).stdout).toMatch(/^id\tlevel\tname\t[^\n]*\n$/);
  });

  it.each([40, 60, 80, 120])(
    'is as wide as a terminal of %i columns; commands are whole, and safe',
    async (columns) => {
      const {code, text} = await onTerminal(['doctor', '--payload'], {server, columns, env: {LC_ALL: 'C.UTF-8'}});
      expect(code).toBe(0);
      expect(unsafeIn(text.replaceAll('\r', '').replaceAll('\u001b[K', ''))).toEqual([]);
      const isCommand = (line: string): boolean => line.includes('streamlog') || line.includes('redis-cli');
      for (const line of text.split('\n'))
        if (!isCommand(line)) expect([cellsOf(line.replace(/.*\u001b\[K/, '')) <= columns, line]).toEqual([true, line]);
      expect(text).toContain(`-g ${LONG}`);
    },
  );

  it('in a pipe, a command is one line, and nothing is coloured', async () => {
    const {stdout} = await streamlog(['doctor', LONG, '-o', 'table'], {server, env: {COLUMNS: '40'}});
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(new RegExp(`^ {7}mend: streamlog group seek -s ${LONG} -g ${LONG} --to end$`, 'm'));
  });

  it.each(RUNTIMES)('is the same in %s', async (_, command) => {
    const {stdout, code} = await shell(`${command} doctor ${LONG} --json --deep`, {server});
    expect(code).toBe(0);
    expect(jsonLines<FoundFinding>(stdout).map(({id}) => id)).toEqual(['D05', 'D11', 'D15']);
  });

  it('--list names each finding once, with its limits', async () => {
    const {stdout} = await run('--list', '--json');
    const ids = jsonLines<{id: string}>(stdout).map(({id}) => id);
    expect(ids).toEqual(ids.toSorted());
    expect(ids).toEqual(expect.arrayContaining(ofStreams));
    expect((await run('--list', '-o', 'table')).stdout).toContain('delivered 20 times or more');
  });
});
