/** Completion as a user meets it: the script in a real bash, and all that can be known of those for zsh and fish. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {manifest} from '../support/manifest.js';
import {shell, streamlog} from '../support/run-cli.js';

const commands = Object.entries(manifest.commands).filter(([, {hidden}]) => !hidden);
const script = async (name: string): Promise<string> => (await streamlog(['completion', name])).stdout;

describe('bash', () => {
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
    writeFileSync(join(directory, 'completion.bash'), await script('bash'));
    writeFileSync(join(directory, 'secret file.txt'), '');
  });
  afterAll(() => rmSync(directory, {recursive: true, force: true}));

  /**
   * What bash offers at the end of `line`, as readline calls the function:
   * `lastWord` is what it takes for the last word, which for it begins behind a "=".
   */
  async function offered(line: string, lastWord = /[^\s=]*$/.exec(line)![0]): Promise<string[]> {
    const done = await shell(
      `set -u; source completion.bash; COMP_POINT=\${#COMP_LINE}; _streamlog streamlog "$LAST_WORD" ""
      for word in \${COMPREPLY[@]+"\${COMPREPLY[@]}"}; do echo "$word"; done`,
      {cwd: directory, env: {COMP_LINE: line, LAST_WORD: lastWord}},
    );
    expect(done).toMatchObject({code: 0, stderr: ''});
    return done.stdout.split('\n').filter((word) => word !== '');
  }

  it('is registered for the program, and is valid', async () => {
    expect(await shell('bash -n completion.bash', {cwd: directory})).toMatchObject({code: 0, stderr: ''});
    const registered = await shell('source completion.bash; complete -p streamlog', {cwd: directory});
    expect(registered.stdout).toBe('complete -F _streamlog streamlog\n');
  });

  it('offers every command and topic, once', async () => {
    const words = [...new Set(commands.map(([id]) => id.split(':')[0]!))];
    expect((await offered('streamlog ')).sort()).toEqual(words.sort());
  });

  it('offers the commands of a topic', async () => {
    expect(await offered('streamlog group ')).toEqual(['consumers', 'create', 'gc', 'list', 'remove', 'seek']);
    expect(await offered('streamlog group se')).toEqual(['seek']);
  });

  it.each(commands)('offers all flags of %s', async (id, {flags}) => {
    const names = Object.keys(flags).map((name) => `--${name}`);
    expect((await offered(`streamlog ${id.replace(':', ' ')} --`)).sort()).toEqual([...names, '--help'].sort());
  });

  it.each([
    ['streamlog pro', ['produce']],
    ['streamlog group seek --d', ['--dry-run']],
    ['streamlog consume --ack ', ['written', 'none']],
    ['streamlog consume --ack n', ['none']],
    ['streamlog consume --ack=n', ['none']],
    ['streamlog consume --exit --ack=', ['written', 'none']],
    ['streamlog completion ', ['bash', 'fish', 'zsh']],
    ['streamlog help gro', ['group']],
    ['streamlog help del', ['delete', 'delivery']],
    ['streamlog completion z', ['zsh']],
    ['streamlog consume -s group --ac', ['--ack']],
    ['streamlog consume --stream=group --ac', ['--ack']],
    ['streamlog claim --to ', []],
    ['streamlog claim --to=w', []],
    ['streamlog nonsense x', []],
    ['streamlog ack --password-file sec', ['secret file.txt']],
    ['streamlog ack --password-file=sec', ['secret file.txt']],
  ])('%s<tab>', async (line, expected) => {
    expect(await offered(line)).toEqual(expected);
  });

  it('keeps the flag where "=" ends no word, as some people set it', async () => {
    expect(await offered('streamlog consume --ack=n', '--ack=n')).toEqual(['--ack=none']);
  });

  it('completes where the cursor is, not at the end of the line', async () => {
    const done = await shell(
      `source completion.bash; COMP_LINE="streamlog pro --json" COMP_POINT=13
      _streamlog streamlog pro; echo "\${COMPREPLY[@]}"`,
      {cwd: directory},
    );
    expect(done.stdout).toBe('produce\n');
  });

  it('runs nothing: names of streams are not asked for, since that would scan all keys', async () => {
    const done = await shell(
      `source completion.bash; streamlog() { echo ran >&2; }
      COMP_LINE="streamlog info --stream " COMP_POINT=24
      _streamlog streamlog ""; echo "\${#COMPREPLY[@]}"`,
      {cwd: directory},
    );
    expect(done).toMatchObject({stdout: '0\n', stderr: ''});
  });
});

describe('zsh', () => {
  it('knows every command, and every flag where it belongs', async () => {
    const text = await script('zsh');
    expect(text).toMatch(/^#compdef streamlog\n/);
    for (const [id, {flags}] of commands) {
      const words = id.split(':');
      const level = text.slice(text.indexOf(`\n_${['streamlog', ...words.slice(0, -1)].join('_')}() {`));
      const start = level.indexOf(`\n        ${words.at(-1)})\n`);
      expect(start, id).toBeGreaterThan(0);
      const section = level.slice(start, level.indexOf(';;', level.indexOf('_arguments', start)));
      for (const name of Object.keys(flags)) expect(section, id).toMatch(new RegExp(`--${name}(=)?\\[`));
    }
  });
});

describe('fish', () => {
  it('knows every command, and every flag where it belongs', async () => {
    const text = await script('fish');
    for (const [id, {flags}] of commands) {
      const words = id.split(':');
      const topic = words.length === 1 ? '""' : words[0];
      expect(text).toContain(`complete -c streamlog -n '__streamlog_at ${topic}' -a ${words.at(-1)} -d `);
      for (const name of Object.keys(flags)) {
        const line = new RegExp(
          `^complete -c streamlog -n '__streamlog_at ${words.join(' ')}' (-s . )?-l ${name} `,
          'm',
        );
        expect(text).toMatch(line);
      }
    }
  });
});

it('another shell, or none, is a usage error', async () => {
  expect(await streamlog(['completion', 'tcsh'])).toMatchObject({code: 2, stdout: ''});
  const none = await streamlog(['completion']);
  expect(none).toMatchObject({code: 2, stdout: ''});
  expect(none.stderr).toContain('bash|fish|zsh');
});
