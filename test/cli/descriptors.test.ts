/** What we share with the rest of a script: descriptors 0, 1 and 2, their offsets and flags, under both runtimes. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, RUNTIMES, shell} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let stream: string;
let turn = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-descriptors-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});
beforeEach(() => {
  stream = `s${++turn}`;
});

const file = (name: string, text?: string): string => {
  const path = join(directory, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};
const values = async (): Promise<string[]> => (await server.redis.xrange(stream, '-', '+')).map(([, [, v]]) => v!);

/** Entries 1-0 to N-0, pending with w1 of the group g. */
async function pending(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await server.redis.xadd(stream, `${n}-0`, 'n', String(n));
  await server.redis.xgroup('CREATE', stream, 'g', '0');
  await server.redis.xreadgroup('GROUP', 'g', 'w1', 'COUNT', count, 'STREAMS', stream, '>');
}

describe.each(RUNTIMES)('%s', (_, command) => {
  /** A line of bash in which `streamlog` is this program, run as a process of its own wherever `exec` would. */
  const run = (line: string): Promise<Finished> => shell(`streamlog() { ${command} "$@"; }\n${line}`, {server});

  describe('standard input that is a file', () => {
    it.each<[args: string, input: string]>([
      ['produce -q --input text', 'before\none\ntwo\n'],
      ['produce -q --input text --file -', 'before\none\ntwo\n'],
      ['produce -q --input csv', 'before\nname\none\ntwo\n'],
      ['produce -q', 'before\n{"n":"one"}\n{"n":"two"}\n'],
    ])('is read from where it stands, and to its end: %s', async (args, input) => {
      const path = file('input', input);
      const {code, stdout} = await run(
        `( read -r first; streamlog ${args} -s ${stream}; cat; echo "$first" ) < ${path}`,
      );
      expect([code, stdout]).toEqual([0, 'before\n']);
      expect(await values()).toEqual(['one', 'two']);
    });

    it.each<[args: string, left: (string | undefined)[]]>([
      ['delete', ['1']],
      ['ack -g g', ['1']],
      ['nack -g g', ['1']],
      ['claim -g g --to w2 --min-idle 0s', ['1']],
    ])('is read from where it stands by %s', async (args) => {
      await pending(3);
      const path = file('ids', '1-0\n2-0\n3-0\n');
      const {code, stderr} = await run(`( read -r first; streamlog ${args} -s ${stream} >&2; cat ) < ${path}`);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/2/)]);
      if (args === 'delete') expect(await server.redis.xlen(stream)).toBe(1);
      const rows = (await server.redis.xpending(stream, 'g', '-', '+', 10)) as [string, string, number, number][];
      // What befell the other two did not befall the first one, whose ID was read before.
      expect(rows.find(([id]) => id === '1-0')).toMatchObject(['1-0', 'w1', expect.anything(), 1]);
    });

    it('is read from where it stands by get', async () => {
      await pending(3);
      const path = file('ids', '1-0\n2-0\n3-0\n');
      const {stdout} = await run(`( read -r first; streamlog get -s ${stream} -f '%o\\n'; cat ) < ${path}`);
      expect(stdout).toBe('2-0\n3-0\n');
    });

    it('is left behind what was used where the work ended early, however much there is', async () => {
      const many = Array.from({length: 60_000}, (_, n) => `{"n":"${n}"}\n`).join('');
      const path = file('many', `${many}{"bad\n{"n":"rest"}\n`);
      const {stdout} = await run(`( streamlog produce -q -s ${stream}; echo $?; cat ) < ${path}`);
      expect(stdout).toBe('65\n{"bad\n{"n":"rest"}\n');
      expect(await server.redis.xlen(stream)).toBe(60_000);

      await pending(2).catch(() => {});
      const ids = file('ids', '1-0\nnonsense\n2-0\n');
      expect((await run(`( streamlog ack -g g -s ${stream} >&2; cat ) < ${ids}`)).stdout).toBe('nonsense\n2-0\n');
    });
  });

  describe('a pipe that is shared with neighbours', () => {
    /** So many lines that no pipe holds them, into a reader that comes late. */
    const late = (line: string): string => `( ${line} ) | ( read -r first; sleep 0.3; wc -l )`;

    it.each<[when: string, line: string]>([
      ['standard output, after us', 'streamlog produce -s x a=1; seq 1 200000'],
      ['standard error, after us', 'streamlog nonsense 2>&1; seq 0 200000'],
      ['standard output, beside us', `{ exec ${command} tail -s y -n 1; } & seq 0 200000; kill $!; wait`],
    ])('%s: all that they write arrives', async (_, line) => {
      await server.redis.xadd('y', '*', 'a', '1');
      const {stdout, stderr} = await run(late(line));
      expect(stderr).not.toContain('unavailable');
      expect(Number(stdout)).toBeGreaterThanOrEqual(200_000);
    });

    it('takes what we write again and again, whole and in order, and loses nothing of who comes after us', async () => {
      await run(`seq 1 30000 | streamlog produce -q -s ${stream} --input text --field n`);
      const consume = `streamlog consume -s ${stream} -g g -q --exit --format '%f{n}\\n'`;
      const {stdout} = await run(`( ${consume}; seq 1 200000 ) | ( read -r first; echo "$first"; sleep 0.3; cat )`);
      const upTo = (count: number): string => Array.from({length: count}, (_, n) => `${n + 1}\n`).join('');
      expect(stdout === upTo(30_000) + upTo(200_000)).toBe(true);
    });

    it('keeps its flags when we read from it', async () => {
      const flags = "sed -n 's/^flags:.*\\(.\\)...$/\\1/p' /proc/self/fdinfo/0";
      const {stdout} = await run(
        `( printf 'one\\n'; sleep 0.2 ) | ( streamlog produce -q --input text -s x; ${flags} )`,
      );
      if (process.platform === 'linux') expect(stdout.trim()).not.toBe('4');
    });

    it('that somebody else made non-blocking takes all of ours', async () => {
      for (let n = 0; n < 2_000; n++) await server.redis.xadd(stream, '*', 'n', 'x'.repeat(100));
      const nonBlocking = `${process.execPath} -e 'process.stdout; require("fs").writeSync(2, ""); process.kill(process.pid, 9)'`;
      const {stdout} = await run(`( ${nonBlocking}; streamlog range -s ${stream} ) | ( sleep 0.3; wc -l )`);
      expect(Number(stdout)).toBe(2_000);
    });
  });

  describe('standard error', () => {
    it('that is full when we fail takes the message once it is read', async () => {
      const line = '( head -c 65536 /dev/zero >&2; streamlog produce nofield ) 2>&1 | ( sleep 0.3; tr -d "\\0" )';
      expect((await run(line)).stdout).toMatch(/^streamlog: "nofield" is not field=value\nhint: .*\n$/);
    });

    it('that is full takes why standard output could not be written, too', async () => {
      const line = '( head -c 65536 /dev/zero >&2; streamlog --help >/dev/full; echo "code $?" >&2 )';
      const {stdout} = await run(`${line} 2>&1 | ( sleep 0.3; tr -d "\\0" )`);
      expect(stdout).toMatch(/^streamlog: cannot write the output: no space.*\n(hint: .*\n)?code 74\n$/);
    });

    it('ends with the code of the command, however often was written before', async () => {
      const codes = await run(
        `for n in $(seq 5 14); do
           { seq $n | streamlog produce -s ${stream} --on-bad-line skip; echo "code $?"; } 2>&1 | { sleep .1; cat; } &
         done
         wait`,
      );
      expect(codes.stdout.match(/code \d+/g)).toEqual(Array(10).fill('code 65'));
    });

    it('with a slow reader gets all there is to say', async () => {
      const path = file('bad', 'bad\n'.repeat(20_000));
      const line = `streamlog produce -s ${stream} --on-bad-line skip < ${path} 2>&1 | ( sleep 0.3; cat )`;
      const {stdout} = await run(line);
      const lines = stdout.trimEnd().split('\n');
      expect(lines.filter((text) => text.includes('skipped line'))).toHaveLength(20_000);
      expect(stdout).toContain('read 20000, added 0, rejected 0, unconfirmed 0, bad lines 20000\n');
    });
  });

  it.each([
    ['range -s full', '>/dev/full'],
    ['--help', '>/dev/full'],
    [`produce -s x --input text --file ${'/etc/hostname'}`, '>/dev/null 2>/dev/full'],
  ])('what could not be written is 74: %s %s', async (args, redirection) => {
    await server.redis.xadd('full', '*', 'a', '1');
    expect((await run(`streamlog ${args} ${redirection}`)).code).toBe(74);
  });

  it.each([
    ['nonsense', 2],
    ['info -s absent', 66],
  ])('what fails keeps its code where its message cannot be written: %s: %d', async (args, code) => {
    expect((await run(`streamlog ${args} 2>/dev/full`)).code).toBe(code);
  });

  describe.runIf(process.platform === 'linux')('an argument or variable that is not UTF-8', () => {
    it.each([
      ["produce -s $'caf\\xe9' a=1", 2, 'argument 3 is not valid UTF-8\nhint: '],
      ["produce -s x $'a=\\xff'", 2, 'argument 4 is not valid UTF-8\nhint: .*field=@FILE'],
      ["info -s $'x\\xc3'", 2, 'argument 3 is not valid UTF-8'],
    ])('is refused, and not taken for another: %s', async (args, code, said) => {
      const result = await run(`streamlog ${args}`);
      expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(said)]);
      expect((await server.redis.keys('*')).filter((key) => key.includes('\ufffd'))).toEqual([]);
    });

    it('and one of ours: 78', async () => {
      const {code, stderr} = await run(`export STREAMLOG_USERNAME=$'caf\\xe9'; streamlog info -s x`);
      expect([code, stderr]).toEqual([78, 'streamlog: the variable STREAMLOG_USERNAME is not valid UTF-8\n']);
    });

    it('is something else than a true U+FFFD, which is kept', async () => {
      expect((await run(`streamlog produce -q -s ${stream} 'a=\ufffd'`)).code).toBe(0);
      expect(await values()).toEqual(['\ufffd']);
    });
  });

  it.each([
    ['dumb', false],
    ['xterm', true],
  ])('TERM=%s has colours: %s', async (term, has) => {
    const line = `script -qec '${command.replaceAll('"', '')} nonsense' /dev/null </dev/null`;
    const {stdout} = await shell(line, {server, env: {TERM: term, SHELL: '/bin/sh'}});
    expect(stdout).toContain('no command');
    expect(stdout.includes('\u001b[')).toBe(has);
  });

  describe('a descriptor that is closed', () => {
    it.each([
      ['range', '>&-', 'output'],
      ['consume --exit', '>&-', 'output'],
      ['produce a=1', '>&-', 'output'],
      ['produce', '<&-', 'input'],
      ['ack', '<&-', 'input'],
    ])('%s %s: 74, before anything is done', async (args, redirection, name) => {
      await server.redis.xadd(stream, '1-0', 'a', '1');
      const {code, stderr} = await run(`streamlog ${args} -s ${stream} ${redirection}`);
      expect([code, stderr]).toEqual([74, expect.stringContaining(`streamlog: standard ${name} is closed\nhint: `)]);
      expect(await server.redis.xlen(stream)).toBe(1);
      expect(await server.redis.xinfo('GROUPS', stream)).toEqual([]);
    });

    it('is no matter to who does not use it', async () => {
      expect((await run(`streamlog produce -q -s ${stream} a=1 <&- >&-`)).code).toBe(0);
      expect((await run(`streamlog range -s ${stream} </dev/null >/dev/null 2>&-`)).code).toBe(0);
      expect((await run(`streamlog consume -s ${stream} --exit </dev/null >/dev/null 2>/dev/null`)).code).toBe(0);
    });
  });
});
