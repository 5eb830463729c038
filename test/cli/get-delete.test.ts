import {beforeEach, describe, expect, it} from 'vitest';
import {idsIn} from '../support/json-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {shell, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
  await addMany('events', 5);
});

const get = (args: string[], input?: string) => streamlog(['get', ...args], {server, input});
const remove = (args: string[], input?: string) => streamlog(['delete', ...args], {server, input});
const left = async (stream = 'events'): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);

async function addMany(stream: string, count: number): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) pipeline.xadd(stream, `${n}-0`, 'n', `${n}`);
  await pipeline.exec();
}

describe('get', () => {
  it('prints the entries in the order of the arguments', async () => {
    expect(await get(['3-0', '1', '3-0'])).toEqual({
      code: 0,
      signal: null,
      stdout:
        '{"stream":"events","id":"3-0","fields":{"n":"3"}}\n' +
        '{"stream":"events","id":"1-0","fields":{"n":"1"}}\n' +
        '{"stream":"events","id":"3-0","fields":{"n":"3"}}\n',
      stderr: '',
    });
  });

  it('prints what is there, names what is not, and exits with 66', async () => {
    const {code, stdout, stderr} = await get(['1-0', '1-1', '7-0', '2-0']);

    expect(idsIn(stdout)).toEqual(['1-0', '2-0']);
    expect(stderr).toBe(
      'streamlog: no entry 1-1 on stream "events"\n' +
        'streamlog: no entry 7-0 on stream "events"\n' +
        'streamlog: 2 of 4 entries were not found\n' +
        'hint: they may be trimmed or deleted, or in another --stream\n',
    );
    expect(code).toBe(66);
  });

  it('exits with 66 where there is no such stream', async () => {
    expect(await get(['1-0', '--stream', 'none'])).toMatchObject({code: 66, stdout: ''});
  });

  it('reads IDs from a pipe, bare or in records, which know their stream', async () => {
    await server.redis.xadd('orders', '9-0', 'n', 'nine');

    const {code, stdout} = await get([], '2-0\n{"stream":"orders","id":"9-0","fields":{"n":"x"}}\n\n 1 \n');

    expect(stdout).toBe(
      '{"stream":"events","id":"2-0","fields":{"n":"2"}}\n' +
        '{"stream":"orders","id":"9-0","fields":{"n":"nine"}}\n' +
        '{"stream":"events","id":"1-0","fields":{"n":"1"}}\n',
    );
    expect(code).toBe(0);
  });

  it('gives back all of many records, in their order', async () => {
    await addMany('many', 5_000);

    const {stdout} = await shell('streamlog range -s many --reverse | streamlog get', {server});

    expect(idsIn(stdout)).toEqual(Array.from({length: 5_000}, (_, index) => `${5_000 - index}-0`));
  });

  it('an empty pipe is no failure: whatever fills it found nothing', async () => {
    expect(await get([], '')).toMatchObject({code: 0, stdout: '', stderr: 'streamlog: nothing to get\n'});
    expect(await shell('streamlog get </dev/null', {server})).toMatchObject({code: 0, stdout: ''});
  });

  it('does not read the pipe when there are arguments', async () => {
    expect(idsIn((await get(['1-0'], '2-0\n')).stdout)).toEqual(['1-0']);
  });

  it('deals with what comes before a bad line, names the line, and exits with 65', async () => {
    const {code, stdout, stderr} = await get([], '1-0\n2-0\nnonsense\n3-0\n');

    expect(idsIn(stdout)).toEqual(['1-0', '2-0']);
    expect(stderr).toContain('line 3');
    expect(code).toBe(65);
  });

  it.each([['x'], ['1-'], ['-5'], ['18446744073709551616-0']])('refuses the argument %s', async (id) => {
    expect(await get([id])).toMatchObject({code: 2, stdout: ''});
  });

  it('on a terminal asks for IDs, and lets hostile data do nothing', async () => {
    await server.redis.xadd('events', '6-0', HOSTILE, HOSTILE);

    const shown = await onTerminal(['get', '6-0'], {server});

    expect(shown.text).toContain('evil');
    expect(unsafeIn(shown.text)).toEqual([]);
  });
});

describe('delete', () => {
  it('deletes what the arguments name, and says how many', async () => {
    expect(await remove(['1-0', '3', '3-0'])).toEqual({
      code: 0,
      signal: null,
      stdout: '{"stream":"events","deleted":2,"missing":0,"dryRun":false}\n',
      stderr: '',
    });
    expect(await left()).toEqual(['2-0', '4-0', '5-0']);
  });

  it('exits with 66 when some were not there, and deletes the others all the same', async () => {
    const {code, stdout, stderr} = await remove(['1-0', '1-1']);

    expect(stdout).toBe('{"stream":"events","deleted":1,"missing":1,"dryRun":false}\n');
    expect(stderr).toContain('1 of 2 entries was not found');
    expect(code).toBe(66);
    expect(await left()).not.toContain('1-0');
  });

  it('a dry run counts the same and deletes nothing', async () => {
    const {code, stdout} = await remove(['1-0', '2-0', '1-1', '--dry-run']);

    expect(stdout).toBe('{"stream":"events","deleted":2,"missing":1,"dryRun":true}\n');
    expect(code).toBe(66);
    expect(await left()).toHaveLength(5);
  });

  it('takes records of several streams from a pipe', async () => {
    await addMany('many', 3_000);

    const {code, stdout} = await shell('{ streamlog range -s many 1001-0; streamlog range -2; } | streamlog delete', {
      server,
    });

    expect(stdout).toBe(
      '{"stream":"many","deleted":2000,"missing":0,"dryRun":false}\n{"stream":"events","deleted":2,"missing":0,"dryRun":false}\n',
    );
    expect(code).toBe(0);
    expect(await left()).toEqual(['1-0', '2-0', '3-0']);
    expect(await server.redis.xlen('many')).toBe(1_000);
  });

  it('an empty pipe deletes nothing and is no failure', async () => {
    expect(await remove([], '')).toMatchObject({code: 0, stdout: ''});
    expect(await left()).toHaveLength(5);
  });

  it('says what was deleted before a bad line, and exits with 65', async () => {
    const {code, stdout, stderr} = await remove([], '1-0\n2-0\nnonsense\n3-0\n');

    expect(stdout).toBe('');
    expect(stderr).toContain('before it failed: 2 deleted, 0 missing on stream "events"');
    expect(stderr).toContain('line 3');
    expect(code).toBe(65);
    expect(await left()).toEqual(['3-0', '4-0', '5-0']);
  });

  it('refuses arguments that are no IDs before it deletes any', async () => {
    expect(await remove(['1-0', 'x'])).toMatchObject({code: 2, stdout: ''});
    expect(await left()).toHaveLength(5);
  });

  it('shows a table on a terminal', async () => {
    const {text} = await onTerminal(['delete', '1-0', '2-0', '--dry-run'], {server, env: {NO_COLOR: '1'}});

    expect(text).toBe('stream  would delete  missing\nevents             2        0\n');
  });
});

describe('a typed --stream', () => {
  it.each(['get', 'delete'])('%s refuses a record of another stream before anything is done', async (command) => {
    await addMany('orders', 5);
    const input = '1-0\n{"stream":"orders","id":"2-0","fields":{}}\n3-0\n';
    const done = await streamlog([command, '-s', 'events'], {server, input});
    expect(done).toMatchObject({code: 65, stdout: ''});
    expect(done.stderr).toContain('the record of entry 2-0 is of stream "orders", not of "events"');
    expect([await left(), await left('orders')]).toEqual(Array(2).fill(['1-0', '2-0', '3-0', '4-0', '5-0']));
    const ambient = await streamlog([command], {server, input, env: {STREAMLOG_STREAM: 'events'}});
    expect(ambient.code).toBe(0);
  });
});
