/** What is wrong with a configuration file, and where. */
import {describe, expect, it} from 'vitest';
import {readConfig} from '../../../src/lib/config/config.js';

const COMMANDS = ['produce', 'trim', 'group:create', 'context:list', 'local:start', 'help'];

const reading = (text: string, project?: string) =>
  readConfig(
    [{file: 'config.toml', text}],
    project === undefined ? undefined : {file: '.streamlog.toml', text: project},
    COMMANDS,
  );

const wrong = (text: string, project?: string): string => {
  try {
    reading(text, project);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

it('reads contexts, defaults, aliases and the project', () => {
  const {contexts, defaults, aliases, project} = reading(
    '[context.prod]\nurl = "redis://h"\npassword_command = ["pass", "x"]\nreadonly = true\n' +
      '[defaults.group.create]\nfrom = "end"\n[defaults.produce]\nmaxlen = 5\n[alias]\nstuck = "trim --maxlen 1"\n',
    'stream = "orders"',
  );
  expect(contexts.get('prod')).toMatchObject({name: 'prod', file: 'config.toml', url: 'redis://h', readonly: true});
  expect(defaults.get('group:create')?.get('from')).toEqual({value: 'end', at: 'config.toml:6'});
  expect(aliases.get('stuck')).toEqual({value: 'trim --maxlen 1', at: 'config.toml:10'});
  expect(project).toEqual({file: '.streamlog.toml', stream: 'orders'});
});

describe('a mistake is named with its line', () => {
  it.each([
    ['[context.a]\nurl = "h"\nusernme = "x"', 'config.toml:3: context.a.usernme: unknown key; did you mean username?'],
    [
      '[context.a]\nurl = "h"\npassword = "x"',
      'config.toml:3: context.a.password: unknown key; did you mean password_file or password_command?',
    ],
    ['\n[contxt.a]\nurl = "h"', 'config.toml:2: contxt: unknown key; did you mean context?'],
    ['[context.a]\nstream = "s"', 'config.toml:1: context.a.url: it is missing'],
    ['[context.a]\nurl = "h"\nreadonly = "yes"', 'config.toml:3: context.a.readonly: it takes true or false'],
    ['[context.a]\nurl = "h"\nurk = 1\ngroop = 1', 'config.toml:3: context.a.urk: unknown key; did you mean url?'],
    ['[context.a]\nurl = ""', 'config.toml:2: context.a.url: it takes text that is not empty'],
    [
      '[context.a]\nurl = "h"\npassword_command = "pass x"',
      'config.toml:3: context.a.password_command: it takes a list of words, as in ["pass", "show", "redis"]',
    ],
    [
      '[context.a]\nurl = "h"\npassword_file = "f"\npassword_command = ["p"]',
      'config.toml:4: context.a.password_command: give password_file or password_command, not both',
    ],
    ['[context.a]\nurl = "h"\ncert = "c"', 'config.toml:3: context.a.cert: cert and key go together'],
    ['[context."a b"]\nurl = "h"', 'config.toml:1: context.a b: it has to be a name of letters, digits, . _ @ -'],
    ['context = 1', 'config.toml:1: context: it takes a table'],
    [
      '[defaults]\nmaxlen = 1',
      'config.toml:2: defaults.maxlen: it stands outside of a table of a command, such as [defaults.produce]',
    ],
    [
      '[defaults.prodce]\nmaxlen = 1',
      'config.toml:1: defaults.prodce: no command that uses a server has this name; did you mean produce?',
    ],
    [
      '[defaults.local.start]\njson = true',
      'config.toml:1: defaults.local: no command that uses a server has this name',
    ],
    [
      '[defaults.produce]\nx = {a = 1}',
      'config.toml:2: defaults.produce.x: it takes text, a number, true, false or a list',
    ],
    ['[alias]\nproduce = "trim"', 'config.toml:2: alias.produce: a command has this name'],
    ['[alias]\ngroup = "trim"', 'config.toml:2: alias.group: a command has this name'],
    ['[alias]\nx = 1', 'config.toml:2: alias.x: it takes arguments of streamlog, as text or as a list'],
    ['[alias]\n"-x" = "ls"', 'config.toml:2: alias.-x: it has to be a name of letters, digits, _ -'],
  ])('%j', (text, message) => {
    expect(wrong(text)).toBe(message);
  });

  it('in what is no TOML, without a word of it', () => {
    const message = wrong('[context.a]\nurl = "redis://:zQ9x@h\n');
    expect(message).toMatch(/^config\.toml:2: this is no TOML: /);
    expect(message).not.toContain('zQ9x');
    expect(wrong('a = 1\na = "zQ9x"')).toMatch(/^config\.toml:2: (?!.*zQ9x)/);
  });

  it('in a project file, which may not choose a server', () => {
    expect(wrong('', '\nurl = "redis://evil"')).toBe(
      '.streamlog.toml:2: url: unknown key; known are context, stream, group',
    );
    expect(wrong('', '[alias]\nls = "trim"')).toContain('.streamlog.toml:1: alias: unknown key');
  });

  it('where two files have the same', () => {
    const text = '[context.a]\nurl = "h"\n';
    const twice = () =>
      readConfig(
        [
          {file: 'a.toml', text},
          {file: 'b.toml', text},
        ],
        undefined,
        COMMANDS,
      );
    expect(twice).toThrow('b.toml:1: context.a: a.toml has this context too');
  });
});

it('a name that every object has is refused, or like any other', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const text = `[context.${name}]\nurl = "h"`;
    const [refused, found] = [wrong(text), () => reading(text).contexts.get(name)?.url];
    expect(refused === '' ? found() : 'h').toBe('h');
  }
  expect(wrong('[context.__proto__]\nurl = "h"')).toMatch(/^config\.toml:1: /);
  expect(reading('').contexts.get('toString')).toBeUndefined();
});
