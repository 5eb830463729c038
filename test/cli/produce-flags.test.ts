/** IDs and flags of produce that mean nothing, or nothing that Redis takes: refused by name, and before Redis is asked where it can be. */
import {describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';

const server = serverForAll();

const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input});
const contents = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);

const GOOD = '{"good":1}\n';

describe('an ID', () => {
  it.each(['1-2-3', '-1', ' 1-1', '1e3', '', 'x', '1-', '-', '18446744073709551616-0', '99999999999999999999-*'])(
    '"%s" is none: 2, and Redis is not asked',
    async (id) => {
      const {code, stderr} = await streamlog(['produce', 'a=1', `--id=${id}`, '-u', 'redis://127.0.0.1:1']);
      expect(code).toBe(2);
      expect(stderr).toBe(`streamlog: --id takes an ID such as 1526919030474-55 or 1526919030474-*, not "${id}"\n`);
    },
  );

  it('0-0 is the one that no entry can have: 2', async () => {
    expect(await produce(['-s', 'zero', '--id', '0-0', 'a=1'])).toMatchObject({
      code: 2,
      stderr: 'streamlog: an entry cannot have the ID 0-0\n',
    });
  });

  it('not above the last one: 65, and what to do', async () => {
    await produce(['-s', 'smaller', '--id', '5-5', 'a=1']);
    for (const id of ['5-5', '5-4', '4-*']) {
      expect(await produce(['-s', 'smaller', '--id', id, 'a=2'])).toMatchObject({
        code: 65,
        stdout: '',
        stderr:
          'streamlog: the ID is not above the last ID on stream "smaller"\n' +
          'hint: IDs of a stream only grow; leave --id out, or see: streamlog info\n',
      });
    }
    expect(await contents('smaller')).toHaveLength(1);
  });

  it('the last one there is takes the stream to its end: 65', async () => {
    const last = '18446744073709551615-18446744073709551615';
    expect((await produce(['-s', 'last', '--id', last, 'a=1'])).stdout).toBe(`${last}\n`);
    const {code, stderr} = await produce(['-s', 'last', 'a=2']);
    expect(code).toBe(65);
    expect(stderr).toContain('stream "last" has reached the highest possible ID');
  });
});

describe('flags', () => {
  const NUMBERS = ['-1', '1e9', '0x10', '10k', '', 'NaN', '1.5', ' 1', '٣', '99999999999999999999'];

  it.each([
    ['--count', NUMBERS],
    ['--batch', [...NUMBERS, '0']],
    ['--maxlen', NUMBERS],
    ['--rate', ['-1', '0', '1e9', '0x10', '10k', '', 'NaN']],
    ['--max-age', ['-1', '10', '1x', '', '1e3s', 'NaN']],
    ['--max-record-bytes', ['-1', '1TB', '', '0x10']],
    ['--minid', ['x', '', '1-2-3', '@yesterday']],
  ])('%s takes nothing that it does not mean: 2, and the message names it', async (flag, values) => {
    for (const value of values) {
      const {code, stdout, stderr} = await streamlog([
        'produce',
        'a=1',
        `${flag}=${value}`,
        '-u',
        'redis://127.0.0.1:1',
      ]);
      expect([code, stdout], `${flag}=${value}`).toEqual([2, '']);
      expect(stderr, `${flag}=${value}`).toMatch(new RegExp(`^streamlog: ${flag}\\b`));
      expect(stderr).toContain(`"${value}"`);
    }
  });

  it.each([
    [['a=1', '--maxlen', '1', '--minid', '1'], 'streamlog: give --maxlen or --minid, not both\n'],
    [['a=1', '--approx'], 'streamlog: --approx needs a limit\n'],
    [['a=1', '--minid', 'end'], 'streamlog: --minid takes an ID or @TIME here\n'],
    [['a=1', '--keep-ids'], 'streamlog: --keep-ids goes with --input envelope\n'],
    [['a=1', '--file', 'x'], 'streamlog: give field=value arguments or --file, not both\n'],
    [['--count', '2'], 'streamlog: --count goes with an entry given as field=value arguments\n'],
    [['--id', '1-1'], 'streamlog: --id goes with an entry given as field=value arguments\n'],
    [['--rate', '2'], 'streamlog: --rate goes with an entry given as field=value arguments\n'],
    [['oops'], 'streamlog: "oops" is not field=value\n'],
    [['--input', 'xml'], 'streamlog: --input takes ndjson, text, csv or envelope, not "xml"\n'],
    [['--nonsense'], 'streamlog: unknown flag --nonsense\n'],
  ])('%j: 2', async (args, message) => {
    const {code, stdout, stderr} = await streamlog(['produce', ...args, '-u', 'redis://127.0.0.1:1'], {input: GOOD});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(message), stderr).toBe(true);
  });
});
