/** What --resume makes of a run that ended at a bad line: it is still there, and can be mended. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let stream: string;
let streams = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-resume-'));
  stream = `resumed-${++streams}`;
  return () => rmSync(directory, {recursive: true, force: true});
});

const resume = (input: string, ...flags: string[]): Promise<Finished> => {
  const file = join(directory, 'input');
  writeFileSync(file, input);
  return streamlog(['produce', '--stream', stream, '--file', file, '--resume', ...flags], {server});
};
const values = async (): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields[1]!);

const line = (value: number): string => `{"a":${value}}\n`;

describe.each([[[]], [['--exactly-once']]])('produce --resume %s behind a bad line', (flags) => {
  it('meets the line again, and does not pass over it in silence', async () => {
    const input = `${line(1)}${line(2)}\n\noops\n${line(3)}`;
    for (let run = 0; run < 2; run++) {
      const {code, stderr} = await resume(input, ...flags);
      expect([code, stderr]).toEqual([65, expect.stringContaining('line 5 column 1: ')]);
      expect(await values()).toEqual(['1', '2']);
    }
  });

  it('adds it once it has been mended, and what follows, and nothing twice', async () => {
    expect((await resume(`${line(1)}oops\n${line(3)}`, ...flags)).code).toBe(65);
    expect((await resume(`${line(1)}${line(2)}${line(3)}`, ...flags)).code).toBe(0);
    expect(await values()).toEqual(['1', '2', '3']);
  });

  it('goes on past it with --on-bad-line skip', async () => {
    expect((await resume(`${line(1)}oops\n${line(3)}`, ...flags)).code).toBe(65);
    expect((await resume(`${line(1)}oops\n${line(3)}`, ...flags, '--on-bad-line', 'skip')).code).toBe(65);
    expect(await values()).toEqual(['1', '3']);
  });
});
