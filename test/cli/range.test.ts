import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {noStream} from '../support/no-stream.js';
import {serverForAll, until} from '../support/redis-server.js';
import {shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

const range = (...args: string[]) => streamlog(['range', ...args], {server});
const records = (stdout: string): {id: string; fields: Record<string, unknown>}[] => jsonLines(stdout);
const ids = (stdout: string): string[] => records(stdout).map(({id}) => id);

async function add(...entryIds: string[]): Promise<void> {
  for (const id of entryIds) await server.redis.xadd('events', id, 'n', id);
}

async function addMany(count: number, value: string): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) pipeline.xadd('events', `${n}-0`, 'n', `${n}`, 'value', value);
  await pipeline.exec();
}

/** Name and description of each installed package: text that many hands have written. */
function installedPackages(): {name: string; description: string}[] {
  const modules = join(import.meta.dirname, '../../node_modules');
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => join(name, inner)) : [name],
  );
  return names
    .map((name) => join(modules, name, 'package.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')))
    .map(({name, description = ''}) => ({name, description}));
}

/** Starts `range` with a reader that does not read, and waits until it is stuck in the middle of a page. */
async function startStuck() {
  await addMany(200, 'x'.repeat(100_000));
  const running = startStreamlog(['range'], {server});
  running.process.stdout.pause();
  // The first page is larger than all that lies between two processes.
  await until(() => running.process.stdout.readableLength > 0, 'range has begun to write');
  return running;
}

describe('what is printed', () => {
  it('the whole stream as records, byte for byte, with what packages say of themselves', async () => {
    const packages = [
      ...installedPackages(),
      {name: 'żółw', description: '修正: 絵文字 🙂'},
      {name: 'محمد', description: '"\\'},
    ];
    for (const {name, description} of packages) {
      await server.redis.xadd('events', '*', 'name', name, 'description', description);
    }

    const {code, stdout, stderr} = await range();

    expect(packages.length).toBeGreaterThan(50);
    expect(records(stdout).map(({fields}) => fields)).toEqual(packages);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('repeated fields and bytes that are not UTF-8 are kept', async () => {
    await server.redis.xadd('events', '1-0', 'tag', 'a', 'tag', 'b', 'raw', Buffer.from([0xff, 0x00]));

    expect((await range()).stdout).toBe(
      '{"stream":"events","id":"1-0","pairs":[["tag","a"],["tag","b"],["raw",{"$b64":"/wA="}]]}\n',
    );
  });

  it.each([[[]], [['--reverse']]])('every entry of many pages once, in order (%j)', async (flags) => {
    await addMany(3_500, 'x');
    const expected = Array.from({length: 3_500}, (_, index) => `${index + 1}-0`);

    const printed = ids((await range(...flags)).stdout);

    expect(printed).toEqual(flags.length === 0 ? expected : expected.reverse());
  });

  it('on a terminal hostile data does nothing, in every shape', async () => {
    await server.redis.xadd('events', '1-0', HOSTILE, HOSTILE);

    for (const shape of [[], ['--json'], ['--format', '%s %f{x} %t\\n']]) {
      const {code, text} = await onTerminal(['range', ...shape], {server, columns: 400});
      expect(text).toContain('evil');
      expect(unsafeIn(text)).toEqual([]);
      expect(code).toBe(0);
    }
  });

  it('in a pipe the same data passes unchanged', async () => {
    await server.redis.xadd('events', '1-0', HOSTILE, HOSTILE);

    expect(records((await range()).stdout)[0]?.fields).toEqual({[HOSTILE]: HOSTILE});
  });
});

describe('bounds', () => {
  beforeEach(() => add('1-0', '2-0', '3-0', '3-1', '3-2', '4-0', '5-0'));

  it.each([
    {args: ['-2'], printed: '4-0 5-0'},
    {args: ['-100'], printed: '1-0 2-0 3-0 3-1 3-2 4-0 5-0'},
    {args: ['-', '+'], printed: '1-0 2-0 3-0 3-1 3-2 4-0 5-0'},
    {args: ['start', 'end'], printed: '1-0 2-0 3-0 3-1 3-2 4-0 5-0'},
    {args: ['--', '-2'], printed: '4-0 5-0'},
    {args: ['--', '-', '-6'], printed: '1-0 2-0'},
    {args: ['-4', '-2'], printed: '3-1 3-2 4-0'},
    {args: ['-', '-100'], printed: ''},
    {args: ['-n', '1', '-2'], printed: '4-0'},
    {args: ['-2', '-n', '1', '--stream', 'events'], printed: '4-0'},
    {args: ['3'], printed: '3-0 3-1 3-2 4-0 5-0'},
    {args: ['-', '3'], printed: '1-0 2-0 3-0 3-1 3-2'},
    {args: ['3-1', '4-0'], printed: '3-1 3-2 4-0'},
    {args: ['(3-1', '(4-0'], printed: '3-2'},
    {args: ['(3', '+'], printed: '4-0 5-0'},
    {args: ['-', '(3'], printed: '1-0 2-0'},
    {args: ['end'], printed: ''},
    {args: ['--reverse', '-n', '2'], printed: '5-0 4-0'},
    {args: ['--reverse', '2-0', '3-0'], printed: '3-0 2-0'},
    {args: ['--reverse', '-3'], printed: '5-0 4-0 3-2'},
  ])('range $args', async ({args, printed}) => {
    const {code, stdout} = await range(...args);

    expect(ids(stdout).join(' ')).toBe(printed);
    expect(code).toBe(0);
  });

  it('a time includes its whole millisecond at both ends', async () => {
    const second = 1_700_000_000_000;
    await server.redis.del('events');
    await add(`${second - 1}-9`, `${second}-0`, `${second}-7`, `${second + 1}-0`);

    const time = new Date(second).toISOString();

    expect(ids((await range(`@${time}`, `@${time}`)).stdout)).toEqual([`${second}-0`, `${second}-7`]);
    expect(ids((await range('@1700000000', `@${second}`)).stdout)).toEqual([`${second}-0`, `${second}-7`]);
  });

  it('says so when nothing can lie between them', async () => {
    const {code, stdout, stderr} = await range('4-0', '2-0');

    expect(stdout).toBe('');
    expect(stderr).toContain('nothing can be between START and END: 4-0 is after 2-0');
    expect(code).toBe(0);
  });

  it.each([['yesterday'], ['(-10'], ['(@-1h'], ['1-'], ['-1h']])('refuses %s', async (bound) => {
    const {code, stdout, stderr} = await range(bound);

    expect(stdout).toBe('');
    expect(stderr).toContain(bound);
    expect(stderr).toContain('hint: ');
    expect(code).toBe(2);
  });
});

describe('how it ends', () => {
  it('66 for a stream that does not exist, 0 for one that is empty', async () => {
    await add('1-0');
    await server.redis.xdel('events', '1-0');

    expect(await range()).toMatchObject({code: 0, stdout: '', stderr: ''});
    expect(await range('--stream', 'none')).toMatchObject({
      code: 66,
      stdout: '',
      stderr: noStream('none'),
    });
  });

  it('65 for a key of another type', async () => {
    await server.redis.set('events', 'text');

    expect(await range()).toMatchObject({code: 65, stdout: ''});
  });

  it('with what was there when it began, however fast the stream grows', async () => {
    const running = await startStuck();
    await server.redis.xadd('events', '201-0', 'late', 'yes');

    running.process.stdout.resume();

    expect(ids((await running.finished).stdout).at(-1)).toBe('200-0');
  });

  it('quietly with 0 when the reader has had enough', async () => {
    await addMany(5_000, 'x'.repeat(500));

    const {stdout, stderr} = await shell('streamlog range | head -1; echo "$PIPESTATUS"', {server});

    expect(stdout.split('\n')[1]).toBe('0');
    expect(stderr).toBe('');
  });

  it('after a signal with 143, and not in the middle of a line', async () => {
    const running = await startStuck();
    running.process.kill('SIGTERM');
    const connected = async () => ((await server.redis.client('LIST')) as string).includes('name=streamlog');
    await until(async () => !(await connected()), 'range has taken notice');

    running.process.stdout.resume();
    const {code, stdout} = await running.finished;

    expect(code).toBe(143);
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(records(stdout).length).toBeLessThan(200);
  });
});
