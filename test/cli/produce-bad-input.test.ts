/** The catalogue of bad input: for each kind what the user sees, the exit code, and what is in the stream afterwards. */
import {describe, expect, it} from 'vitest';
import {BAD_LINES} from '../support/bad-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let streams = 0;

const newStream = (): string => `bad-${++streams}`;
/** Whatever it reads, it says so in words. */
async function produce(args: readonly string[], input?: string | Buffer): Promise<Finished> {
  const finished = await streamlog(['produce', ...args], {server, input});
  expect(finished.stderr).not.toMatch(/^ +at |bug in streamlog/m);
  return finished;
}
const contents = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);

const GOOD = '{"good":1}\n';
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

describe('a line that is no record', () => {
  it.each(BAD_LINES)(
    '%s: 65, with line and column; what is in front of it was added, nothing behind it',
    async (_, line, message) => {
      const stream = newStream();
      const input = Buffer.concat([Buffer.from(GOOD), Buffer.from(line), Buffer.from(`\n${GOOD}`)]);
      const cut = typeof line === 'string' && !line.endsWith('\n');
      const {code, stderr} = await produce(['-s', stream, '-q'], cut ? `${GOOD}${line}` : input);
      expect(code).toBe(65);
      expect(stderr).toContain('streamlog: warning: read 2, added 1, rejected 0, unconfirmed 0, bad lines 1\n');
      expect(stderr).toContain(`streamlog: ${message}`);
      expect(stderr).toContain('hint: everything before it was added; --on-bad-line skip goes on past bad lines\n');
      expect(stderr.length).toBeLessThan(600);
      expect(await contents(stream)).toEqual([['good', '1']]);
    },
  );

  it.each(BAD_LINES)(
    '%s: with --on-bad-line skip a warning, all good lines, and 65 in the end',
    async (_, line, message) => {
      const stream = newStream();
      const end = Buffer.from(line).at(-1) === 0x0a ? '' : '\n';
      const input = Buffer.concat([Buffer.from(GOOD), Buffer.from(line), Buffer.from(end + GOOD)]);
      const {code, stderr} = await produce(['-s', stream, '-q', '--on-bad-line', 'skip'], input);
      expect(code).toBe(65);
      expect(stderr).toContain(`streamlog: warning: skipped ${message}`);
      expect(stderr).toMatch(
        /read 3, added 2, rejected 0, unconfirmed 0, bad lines 1\nstreamlog: 1 of 3 lines were skipped\n$/,
      );
      expect(await contents(stream)).toEqual([
        ['good', '1'],
        ['good', '1'],
      ]);
    },
  );

  it('UTF-16 without its byte order mark says so, in either order of bytes', async () => {
    for (const [encoding, input] of [
      ['UTF-16LE', utf16(GOOD)],
      ['UTF-16BE', utf16(GOOD).swap16()],
    ] as const) {
      const {code, stderr} = await produce(['-s', 'utf16'], input);
      expect(code).toBe(65);
      expect(stderr).toContain(
        `: line 1: this looks like ${encoding}\nhint: convert it first: iconv -f ${encoding} -t UTF-8\n`,
      );
    }
    expect(await server.redis.exists('utf16')).toBe(0);
  });

  it('exactly the lines before it are added, over many batches', async () => {
    const stream = newStream();
    const lines = Array.from({length: 5_000}, (_, index) => (index === 3_210 ? 'oops\n' : `{"n":${index}}\n`));
    const {code, stdout, stderr} = await produce(['-s', stream, '--batch', '7'], lines.join(''));
    expect(code).toBe(65);
    expect(stderr).toContain('read 3211, added 3210, rejected 0, unconfirmed 0, bad lines 1');
    expect(stdout.split('\n')).toHaveLength(3_211);
    const found = await contents(stream);
    expect(found).toHaveLength(3_210);
    expect(found.at(-1)).toEqual(['n', '3209']);
  });

  it('all the good lines are added around many bad ones', async () => {
    const stream = newStream();
    const lines = Array.from({length: 1_000}, (_, index) => (index % 3 === 0 ? `{"n":${index}\n` : `{"n":${index}}\n`));
    const {code, stderr} = await produce(['-s', stream, '-q', '--on-bad-line', 'skip'], lines.join(''));
    expect(code).toBe(65);
    expect(stderr.match(/skipped line \d+ column/g)).toHaveLength(334);
    expect(stderr).toContain('read 1000, added 666, rejected 0, unconfirmed 0, bad lines 334');
    expect((await contents(stream)).map(([, n]) => Number(n))).toEqual(
      Array.from({length: 1_000}, (_, index) => index).filter((index) => index % 3 !== 0),
    );
  });

  it('a bad row of CSV is skipped in its place', async () => {
    const stream = newStream();
    const {code, stderr} = await produce(
      ['-s', stream, '-q', '--input', 'csv', '--on-bad-line', 'skip'],
      'a,b\n1,2\n3\n"x"y,5\n6,7\n',
    );
    expect(code).toBe(65);
    expect(stderr).toContain('warning: skipped line 3: 1 values for 2 columns\n');
    expect(stderr).toContain('warning: skipped line 4: a quote inside a value in quotes must be doubled\n');
    expect(await contents(stream)).toEqual([
      ['a', '1', 'b', '2'],
      ['a', '6', 'b', '7'],
    ]);
  });
});
