/** Summaries are text that somebody wrote: no quote or bracket in one may end a word of a script. */
import {spawnSync} from 'node:child_process';
import {expect, it} from 'vitest';
import {bashScript} from '../../../src/lib/completion/bash.js';
import {fishScript} from '../../../src/lib/completion/fish.js';
import type {ProgramOutline} from '../../../src/lib/completion/outline.js';
import {zshScript} from '../../../src/lib/completion/zsh.js';

const hostile = 'it\'s [a] \\n: $(touch /tmp/x) "b"';
const program: ProgramOutline = {
  name: 'tool',
  topics: [{word: 'group', summary: hostile}],
  commands: [
    {
      words: ['group', 'list'],
      summary: hostile,
      flags: [
        {name: 'stream', char: 's', summary: hostile, repeatable: true, value: {kind: 'text', name: 'NAME'}},
        {name: 'file', summary: hostile, repeatable: false, value: {kind: 'file', name: 'PATH'}},
      ],
      arguments: [{kind: 'text', name: 'GROUP', repeatable: false}],
    },
    {
      words: ['run'],
      summary: hostile,
      flags: [
        {name: 'mode', summary: hostile, repeatable: false, value: {kind: 'choice', name: 'MODE', choices: ['a', 'b']}},
        {name: 'dry-run', char: 'd', summary: hostile, repeatable: false},
      ],
      arguments: [],
    },
  ],
};

it('bash: no text of a summary is in it, and it is valid', () => {
  const script = bashScript(program);
  expect(script).not.toContain('touch');
  expect(spawnSync('bash', ['-n'], {input: script, encoding: 'utf8'})).toMatchObject({status: 0, stderr: ''});
});

it('zsh: a summary is quoted for the shell and for _arguments', () => {
  const script = zshScript(program);
  const inShell = "it'\\''s";
  expect(script).toContain(`'run:${inShell} [a] \\n: $(touch /tmp/x) "b"'`);
  expect(script).toContain(`'(--dry-run -d)--dry-run[${inShell} \\[a\\] \\\\n\\: $(touch /tmp/x) "b"]'`);
  expect(script).toContain(`(--mode)--mode=[${inShell} \\[a\\] \\\\n\\: $(touch /tmp/x) "b"]:MODE:(a b)'`);
  expect(script).toContain(`'*-s[${inShell}`);
  expect(script).toContain(':PATH:_files');
  expect(script).toContain("'1:GROUP: '");
});

it('fish: a summary is quoted', () => {
  const script = fishScript(program);
  const quoted = `'it\\'s [a] \\\\n: $(touch /tmp/x) "b"'`;
  expect(script).toContain(`complete -c tool -n '__tool_at ""' -a group -d ${quoted}\n`);
  expect(script).toContain(`complete -c tool -n '__tool_at run' -l mode -x -a 'a b' -d ${quoted}\n`);
  expect(script).toContain(`complete -c tool -n '__tool_at run' -s d -l dry-run -d ${quoted}\n`);
  expect(script).toContain(`complete -c tool -n '__tool_at group list' -l file -r -F -d ${quoted}\n`);
});
