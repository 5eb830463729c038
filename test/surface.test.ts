/**
 * What scripts build upon: commands, flags, arguments, JSON fields and exit codes, one line
 * each in surface.txt, so that a change of them is seen in review. After an
 * intended one: `npm run build && npx vitest run test/surface.test.ts -u`.
 */
import {describe, expect, it} from 'vitest';
import {EXIT_CODES} from '../src/lib/exit-codes.js';
import {JSON_FIELDS} from '../src/lib/output/json-fields.js';
import {manifest} from './support/manifest.js';
import {streamlog} from './support/run-cli.js';

type CommandFacts = (typeof manifest)['commands'][string];
type FlagFacts = CommandFacts['flags'][string];
type ArgFacts = CommandFacts['args'][string];

const commands = Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));

/** The Redis command that each command stands for, and has to name in its summary. */
const REDIS_COMMAND: Record<string, string | undefined> = {
  __complete: 'SCAN',
  ack: 'XACK',
  archive: 'XRANGE',
  check: 'XINFO',
  claim: 'XCLAIM',
  completion: undefined,
  consume: 'XREADGROUP',
  'context:add': undefined,
  'context:edit': undefined,
  'context:list': undefined,
  'context:remove': undefined,
  'context:show': undefined,
  'context:test': 'PING',
  'context:use': undefined,
  copy: 'XADD',
  delete: 'XDEL',
  demo: undefined,
  'dlq:list': 'XRANGE',
  'dlq:purge': 'XDEL',
  'dlq:redrive': 'XADD',
  'dlq:show': 'XRANGE',
  export: 'XRANGE',
  get: 'XRANGE',
  doctor: 'XINFO',
  'group:consumers': 'XINFO CONSUMERS',
  'group:create': 'XGROUP CREATE',
  'group:gc': 'XGROUP DELCONSUMER',
  'group:list': 'XINFO GROUPS',
  'group:remove': 'XGROUP DESTROY',
  'group:seek': 'XGROUP SETID',
  help: undefined,
  import: 'XADD',
  info: 'XINFO',
  'local:start': undefined,
  'local:status': undefined,
  'local:stop': undefined,
  ls: 'SCAN',
  man: undefined,
  metrics: 'XINFO',
  nack: 'XNACK',
  pending: 'XPENDING',
  produce: 'XADD',
  range: 'XRANGE',
  serve: 'XADD',
  tail: 'XREAD',
  top: 'XINFO',
  trim: 'XTRIM',
  version: undefined,
};

it('commands, flags, arguments, JSON fields and exit codes are those of surface.txt', async () => {
  const surface = [
    ...commands.flatMap(([id, command]) => [...commandLines(id, command), '']),
    'fields in JSON',
    ...Object.entries(JSON_FIELDS).map(([command, fields]) => `  ${command}: ${fieldsText(fields)}`),
    '',
    'exit codes',
    ...Object.entries(EXIT_CODES).map(([kind, {code, meaning}]) => `  ${String(code).padStart(3)} ${kind}: ${meaning}`),
  ];
  await expect(`${surface.join('\n')}\n`).toMatchFileSnapshot('surface.txt');
});

describe.each(commands)('%s', (id, command) => {
  it('names in its summary the Redis command that it stands for', () => {
    expect(Object.keys(REDIS_COMMAND), 'say in this test which Redis command it stands for').toContain(id);
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.summary).toContain(REDIS_COMMAND[id] ?? '');
  });

  it('has two examples or more, the first of itself', () => {
    const examples = (command.examples ?? []).map((example) =>
      typeof example === 'string' ? example : example.command,
    );
    expect(examples.length).toBeGreaterThanOrEqual(2);
    expect(examples[0]!.replace('<%= command.id %>', id)).toContain(`<%= config.bin %> ${id.replaceAll(':', ' ')}`);
  });

  it('prints each of its flags in its help', async () => {
    const {stdout} = await streamlog([...id.split(':'), '--help']);
    for (const [name, {hidden}] of Object.entries(command.flags)) if (!hidden) expect(stdout).toContain(`--${name}`);
  });

  it('says what each flag and argument is for', () => {
    for (const [name, flag] of Object.entries(command.flags))
      expect(flag.summary ?? flag.description, name).toBeTruthy();
    for (const [name, arg] of Object.entries(command.args)) expect(arg.description, name).toBeTruthy();
  });
});

describe('across all commands', () => {
  const flags = commands.flatMap(([, command]) => Object.values(command.flags));
  /** Those that stand for more than one thing. */
  const ambiguous = (pairs: readonly (readonly [string, string])[]): string[] => {
    const meanings = new Map<string, Set<string>>();
    for (const [sign, meaning] of pairs) meanings.set(sign, (meanings.get(sign) ?? new Set()).add(meaning));
    return [...meanings].filter(([, all]) => all.size > 1).map(([sign, all]) => `${sign}: ${[...all].join(' or ')}`);
  };

  it('a letter is short for one flag, and a flag has one letter', () => {
    const lettered = flags.flatMap(({name, char}) => (char === undefined ? [] : [[char, name] as const]));
    expect(ambiguous(lettered)).toEqual([]);
    expect(ambiguous(flags.map(({name, char}) => [name, char ?? 'no letter']))).toEqual([]);
  });

  it('a shared flag takes the same kind of value', () => {
    const shared = 'stream group name count from url json format quiet verbose dry-run'.split(' ');
    const kinds = flags
      .filter(({name}) => shared.includes(name))
      .map((flag) => [flag.name, flag.type === 'boolean' ? 'switch' : String(flag.helpValue)] as const);
    expect(ambiguous(kinds)).toEqual([]);
  });
});

/** `stream, group, consumers (name, pending)` */
const fieldsText = (fields: object): string =>
  Object.entries(fields)
    .map(([name, inner]) => (inner === true ? name : `${name} (${fieldsText(inner)})`))
    .join(', ');

function commandLines(id: string, command: CommandFacts): string[] {
  const offsets = [...(command.hidden ? ['hidden'] : []), ...command.aliases.map((alias) => `also ${alias}`)];
  return [
    [id.replaceAll(':', ' '), ...offsets].join(', '),
    ...Object.values(command.args).map((arg) => `  ${arg.name.toUpperCase()}: ${argFacts(arg)}`),
    ...Object.values(command.flags).map((flag) => `  ${flagNames(flag)}: ${flagFacts(flag)}`),
  ];
}

const flagNames = ({name, char, aliases = []}: FlagFacts): string =>
  [...(char === undefined ? [] : [`-${char}`]), `--${name}`, ...aliases.map((alias) => `--${alias}`)].join(' ');

function flagFacts(flag: FlagFacts): string {
  const offsets = [...(flag.required ? ['required'] : []), ...(flag.hidden ? ['hidden'] : [])];
  if (flag.type === 'boolean')
    return ['switch', ...(flag.allowNo ? ['--no- too'] : []), ...defaultOf(flag), ...offsets].join(', ');
  const values = flag.options?.join('|') ?? flag.helpValue ?? 'value';
  return [
    values,
    ...(flag.multiple ? ['repeatable'] : []),
    ...defaultOf(flag),
    ...environmentOf(flag),
    ...offsets,
  ].join(', ');
}

const argFacts = (arg: ArgFacts): string =>
  [
    arg.options?.join('|') ?? 'value',
    ...(arg.multiple ? ['repeatable'] : []),
    ...defaultOf(arg),
    ...(arg.required ? ['required'] : []),
  ].join(', ');

const defaultOf = ({default: value}: {default?: unknown}): string[] =>
  value === undefined ? [] : [`default ${JSON.stringify(value)}`];

const environmentOf = ({env}: {env?: string}): string[] => (env === undefined ? [] : [`or $${env}`]);
