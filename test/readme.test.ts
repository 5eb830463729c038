/**
 * README.md, held to the program: its examples are run, what it shows is what
 * comes out, and its tables are those of the built package. Every example of
 * the first kind needs a line in EXAMPLES that says what it has to come to.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join, relative} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {EXIT_CODES} from '../src/lib/exit-codes.js';
import {manifest} from './support/manifest.js';
import {freePort, type RedisServer, serverForAll, until} from './support/redis-server.js';
import {type Running, shell, startShell} from './support/run-cli.js';
import {onTerminal} from './support/terminal.js';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

interface Example {
  /** How its line begins. */
  begins: string;
  /** Makes true what the example takes for granted. */
  arrange?(redis: RedisServer['redis']): Promise<unknown>;
  /** For one that goes on for ever: it is interrupted once this holds. */
  endless?(running: Running, redis: RedisServer['redis']): boolean | Promise<boolean>;
  /** What has to be true afterwards. */
  proof(stdout: string, redis: RedisServer['redis'], directory: string): unknown;
}

const DAY_MS = 86_400_000;
const ID = /^\d{13}-\d+$/;
const lines = (text: string): string[] => text.trimEnd().split('\n');

/** In the order of the README, on one server. */
const EXAMPLES: Example[] = [
  {
    begins: 'streamlog produce type=login',
    arrange: (redis) => redis.xadd('events', `${Date.now() - 8 * DAY_MS}-0`, 'type', 'old'),
    proof: (stdout) => expect(stdout.trimEnd()).toMatch(ID),
  },
  {begins: "jq -c '.[]'", proof: (stdout) => expect(lines(stdout)).toHaveLength(3)},
  {
    begins: 'git log',
    proof: async (_, redis) =>
      expect((await redis.xrange('commits', '-', '+')).map(([, fields]) => fields)).toEqual([
        ['subject', 'Second thoughts'],
        ['subject', 'First light'],
      ]),
  },
  {
    begins: 'streamlog produce --stream users',
    proof: async (_, redis) =>
      expect((await redis.xrange('users', '-', '+')).map(([, fields]) => fields)).toEqual([
        ['name', 'Ada', 'city', 'London'],
        ['name', 'Grace', 'city', 'New York, NY'],
      ]),
  },
  {
    begins: 'streamlog produce --stream imported',
    proof: async (stdout, redis, directory) => {
      const added = await redis.xrange('imported', '-', '+');
      expect(lines(stdout)).toEqual(added.map(([id]) => id));
      expect(added.map(([, fields]) => fields)).toEqual([
        ['type', 'login'],
        ['type', 'logout'],
      ]);
      const kept = JSON.parse(readFileSync(join(directory, 'events.ndjson.checkpoint'), 'utf8'));
      expect(kept).toMatchObject({stream: 'imported', line: 2});
    },
  },
  {
    begins: 'streamlog produce --stream app --follow',
    endless: (running) => lines(running.stdout()).length === 2,
    proof: async (_, redis) => expect(await redis.xlen('app')).toBe(2),
  },
  {
    begins: 'streamlog consume --name w1 | jq',
    endless: (_, redis) => isDone(redis, 'streamlog'),
    proof: (stdout) => expect(stdout).toContain('{"type":"login","user":"u1"}\n'),
  },
  {
    begins: 'streamlog consume --group mail',
    endless: (_, redis) => isDone(redis, 'mail'),
    proof: (stdout) =>
      expect(JSON.parse(stdout)).toMatchObject({stream: 'events', group: 'mail', acknowledged: 5, notPending: 0}),
  },
  {
    begins: 'streamlog consume --group search',
    endless: (_, redis) => isDone(redis, 'search'),
    proof: (_, __, directory) => expect(lines(readFileSync(join(directory, 'indexed'), 'utf8'))).toHaveLength(5),
  },
  {
    begins: 'streamlog tail --format',
    endless: (running) => lines(running.stdout()).length === 5,
    proof: (stdout) => expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z login u1$/m),
  },
  {
    begins: 'streamlog range @-1h',
    proof: async (_, redis) => expect(await redis.xlen('copy')).toBe(4),
  },
  {
    begins: 'streamlog pending',
    arrange: async (redis) => {
      await redis.xgroup('SETID', 'events', 'streamlog', '0');
      await redis.xreadgroup('GROUP', 'streamlog', 'w1', 'COUNT', 2, 'STREAMS', 'events', '>');
      const [[id]] = (await redis.xpending('events', 'streamlog', '-', '+', 1)) as [[string]];
      await redis.xclaim('events', 'streamlog', 'w1', 0, id, 'IDLE', 660_000, 'JUSTID');
    },
    proof: async (stdout, redis) => {
      expect(lines(stdout).map((line) => JSON.parse(line).consumer)).toEqual(['w2']);
      expect(await redis.xpending('events', 'streamlog', '-', '+', 9, 'w1')).toHaveLength(1);
      await redis.xgroup('DESTROY', 'events', 'streamlog');
    },
  },
  {
    begins: 'streamlog trim --max-age 7d --safe',
    proof: async (stdout, redis) => {
      expect(JSON.parse(stdout)).toMatchObject({removed: 1, left: 4});
      expect(await redis.xlen('events')).toBe(4);
    },
  },
  {
    begins: 'streamlog info events --json',
    proof: (stdout) => expect(stdout).toBe('{"name":"mail","lag":0}\n{"name":"search","lag":0}\n'),
  },
  {
    begins: 'streamlog serve',
    endless: (running) => ['connected', 'listening'].every((word) => running.stderr().includes(word)),
    proof: () => {},
  },
  {
    begins: 'curl',
    proof: async (stdout, redis) => {
      expect(JSON.parse(stdout).id).toMatch(ID);
      expect(await redis.xlen('events')).toBe(5);
    },
  },
];

describe('examples', () => {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-readme-'));
  const server = serverForAll();
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    writeFileSync(join(directory, 'events.json'), '[{"type":"login"},{"n":1.50},{"tags":["a","b"]}]');
    writeFileSync(join(directory, 'events.ndjson'), '{"type":"login"}\n{"type":"logout"}\n');
    writeFileSync(join(directory, 'app.ndjson'), '{"type":"login"}\n{"type":"logout"}\n');
    writeFileSync(join(directory, 'users.csv'), 'name,city\nAda,London\nGrace,"New York, NY"\n');
    writeFileSync(join(directory, 'send-mail'), '#!/bin/sh\nexec cat\n', {mode: 0o755});
    writeFileSync(join(directory, 'index-entry'), '#!/bin/sh\nexec cat >>indexed\n', {mode: 0o755});
    const git = (...args: string[]): unknown =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], {cwd: directory});
    git('init', '--quiet');
    for (const subject of ['First light', 'Second thoughts'])
      git('commit', '--quiet', '--allow-empty', '--message', subject);
  });
  afterAll(async () => {
    rmSync(directory, {recursive: true, force: true});
  });

  const [local, pipelines] = blocks('sh');

  it('do what they say, one after the other', async () => {
    const served: Running[] = [];
    expect(lines(pipelines!.text).filter(isCommand).map(exampleFor)).toEqual(EXAMPLES);
    for (const line of lines(pipelines!.text).filter(isCommand)) {
      const example = exampleFor(line)!;
      await example.arrange?.(server.redis);
      const command = line.replace(/ &$/, '').replaceAll(':8080', `:${port}`);
      // streamlog takes the signal all the same; other programs live on until their input ends, and lose nothing.
      const running = startShell(`set -o pipefail; trap '' INT; ${command}`, {server, cwd: directory});
      running.process.stdin.end();
      if (example.endless !== undefined) {
        await until(async () => example.endless!(running, server.redis), `"${line}" has done its work`);
        if (line.endsWith('&')) served.push(running);
        else process.kill(-running.process.pid!, 'SIGINT');
      }
      if (line.endsWith('&')) continue;
      const {code, stdout, stderr} = await running.finished;
      expect([0, example.endless && 130], `${line}\n${stderr}`).toContain(code);
      expect(stderr, line).not.toMatch(/warning|hint/);
      await example.proof(stdout, server.redis, directory);
    }
    for (const running of served) {
      process.kill(-running.process.pid!, 'SIGTERM');
      await running.finished;
    }
  });

  it('start, use and stop a private server, in a directory where nothing is', async () => {
    const cwd = join(directory, 'empty');
    mkdirSync(cwd);
    const options = {env: {XDG_STATE_HOME: join(directory, 'state')}, cwd};
    try {
      const {code, stdout, stderr} = await shell(`set -e\n${local!.text}`, options);
      expect({code, stderr}).toEqual({code: 0, stderr: 'streamlog: read 2, added 2, rejected 0, unconfirmed 0\n'});
      const [started, first, ...others] = lines(stdout);
      expect(started).toContain('unix:');
      expect(first).toMatch(ID);
      const records = others.filter((line) => line.startsWith('{"stream":"events","id":'));
      expect(records.map((line) => JSON.parse(line).fields.type)).toEqual(['login', 'login', 'logout']);
    } finally {
      await shell('streamlog local stop', options);
    }
  });

  it('show what really comes out', async () => {
    const shown = blocks('console').filter(({text}) => !text.startsWith('$ npm'));
    expect(shown.length).toBeGreaterThan(0);
    await server.redis.flushall();
    for (const {text, onTty} of shown) {
      for (const [command, output] of transcript(text)) {
        const real = onTty
          ? (await onTerminal(command.split(' ').slice(1), {server, env: {NO_COLOR: '1'}})).text
          : (await shell(`{ ${command}\n} 2>&1`, {server})).stdout;
        expect(timeless(real), command).toBe(timeless(output));
      }
    }
  });
});

/** Where Node finds the package (https://nodejs.org/api/modules.html#loading-from-node_modules-folders). */
function installed(name: string): string | undefined {
  for (let directory = ROOT; ; directory = dirname(directory)) {
    const found = join(directory, 'node_modules', name);
    if (existsSync(found)) return found;
    if (directory === dirname(directory)) return undefined;
  }
}

describe('tables', () => {
  it('name exactly the commands that there are, and what each stands for in Redis', () => {
    const listed = rowsUnder('Commands').map(([name, redis]) => [name!.replaceAll('`', ''), redis] as const);
    const commands = Object.entries(manifest.commands).filter(([, {hidden}]) => !hidden);
    expect(listed.map(([name]) => name).sort()).toEqual(commands.map(([id]) => id.replaceAll(':', ' ')).sort());
    for (const [name, redis] of listed) expect(manifest.commands[name.replaceAll(' ', ':')]!.summary).toContain(redis);
  });

  it('print the exit codes as the program has them', () => {
    const codes = Object.values(EXIT_CODES).map(({code, meaning}) => [String(code), meaning]);
    expect(rowsUnder('Standard output, standard error, exit codes')).toEqual(codes);
    const page = readFileSync(join(ROOT, 'docs/exit-codes.md'), 'utf8');
    expect(firstTable(page).map((row) => row.slice(0, 2))).toEqual(codes);
  });

  it('name the packages that the source imports', () => {
    const imported = filesUnder('src', '.ts').flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/(?:from|import) '((?:@[\w-]+\/)?[a-z][\w-]*)(?:\/[\w./-]+)?'/g)].map(
        ([, name]) => name!,
      ),
    );
    const packages = [...new Set(imported)].filter((name) => installed(name) !== undefined);
    const page = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
    expect(firstTable(page).map(([name]) => name!.replaceAll('`', ''))).toEqual(expect.arrayContaining(packages));
    for (const [name, , , version] of firstTable(page)) {
      const directory = installed(name!.replaceAll('`', ''))!;
      expect(version, name).toContain(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version);
      expect(packages).toContain(name!.replaceAll('`', ''));
    }
  });

  it('name each fault, and the tests that have its code', () => {
    const tests = new Map<string, Set<string>>();
    for (const path of filesUnder('test', '.ts').filter((name) => /\.(test|soak)\.ts$/.test(name))) {
      const name = relative(join(ROOT, 'test'), path).replace(/^faults\/|\.(test|soak)\.ts$/g, '');
      for (const [code] of readFileSync(path, 'utf8').matchAll(/\bF[1-9]\d?\b/g))
        tests.set(code, (tests.get(code) ?? new Set()).add(name));
    }
    const rows = firstTable(readFileSync(join(ROOT, 'test/faults/README.md'), 'utf8'));
    expect(rows.map(([code]) => code)).toEqual(Array.from({length: 40}, (_, index) => `F${index + 1}`));
    const listed = rows.map(([code, , , where]) => [code, where!.split(', ').map((name) => name.replaceAll('`', ''))]);
    expect(listed).toEqual(rows.map(([code]) => [code, [...tests.get(code!)!].sort(faultsFirst)]));
  });
});

describe('what is written', () => {
  it('names only flags that there are', () => {
    const known = new Set(Object.values(manifest.commands).flatMap(({flags}) => Object.keys(flags)));
    // Those of every command of oclif, of npm and of redis-cli.
    for (const other of ['help', 'global', 'pipe']) known.add(other);
    const named = [...README.matchAll(/(?<=[\s`(])--([a-z][a-z-]*)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const {scripts} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const named = [...README.matchAll(/npm (?:run ([a-z]+)|(test))/g)].map(([, script, test]) => script ?? test!);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
    expect(named).toEqual(expect.arrayContaining(['demo', 'test']));
  });

  const SOURCES = new Set(
    ['src', 'test'].flatMap((directory) => filesUnder(directory, '.ts').map((path) => basename(path))),
  );
  const pages = [
    ...readdirSync(ROOT),
    ...readdirSync(join(ROOT, 'docs'), {recursive: true, encoding: 'utf8'}).map((name) => join('docs', name)),
  ];
  it.each(pages.filter((name) => name.endsWith('.md')))('%s names only files that there are', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to]) => join(dirname(page), to!));
    // In capitals stands what a reader is to replace.
    const paths = [...text.matchAll(/`((?:src|test|bin|scripts|docs)\/[a-z\d/.-]+)`/g)].map(([, path]) => path!);
    expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const names = [...text.matchAll(/`([a-z][a-z\d-]*\.ts)`/g)].map(([, name]) => name!);
    expect(names.filter((name) => !SOURCES.has(name))).toEqual([]);
  });
});

const filesUnder = (directory: string, suffix: string): string[] =>
  readdirSync(join(ROOT, directory), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(ROOT, directory, name));

/** Those of test/faults first, and each in the order of the alphabet. */
const faultsFirst = (a: string, b: string): number =>
  Number(a.includes('/')) - Number(b.includes('/')) || (a < b ? -1 : 1);

const isCommand = (line: string): boolean => line !== '' && !line.startsWith('#');
const exampleFor = (line: string): Example | undefined => EXAMPLES.find(({begins}) => line.startsWith(begins));

/** Whether `group` has read and acknowledged all of the stream. */
async function isDone(redis: RedisServer['redis'], group: string): Promise<boolean> {
  const newest = (await redis.xrevrange('events', '+', '-', 'COUNT', 1))[0]![0];
  const groups = (await redis.xinfo('GROUPS', 'events')) as unknown[][];
  const found = groups.find(([, name]) => name === group);
  return found?.[5] === 0 && found[7] === newest;
}

/** The fenced blocks of a language; `console tty` is what a terminal shows. */
function blocks(language: string): {text: string; onTty: boolean}[] {
  const found = README.matchAll(/^```(\w+)( tty)?\n([\s\S]*?)^```$/gm);
  return [...found]
    .filter(([, name]) => name === language)
    .map(([, , tty, text]) => ({text: text!, onTty: tty !== undefined}));
}

/** Commands and what each one prints. */
const transcript = (text: string): [command: string, output: string][] =>
  [...text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command, output]) => [command!, output!]);

/** Without what differs from run to run: IDs, times, amounts of memory, and the width of columns that hold them. */
const timeless = (text: string): string =>
  text
    .replace(/\d{13}-\d+/g, 'ID')
    .replace(/\b\d+(ms|[smhd])\b( \d+[smhd]\b)?/g, 'TIME')
    .replace(/\d+(\.\d+)? [KM]?B\b/g, 'SIZE')
    .replace(/ +/g, ' ')
    .trimEnd();

/** The cells of the first table of a section, without its heading. */
const rowsUnder = (section: string): string[][] => firstTable(README.split(`\n## ${section}\n`)[1] ?? '');

function firstTable(text: string): string[][] {
  const [, rows = ''] = /^\|[-|]+\|\n((?:\|.*\n)+)/m.exec(text) ?? [];
  return rows
    .trimEnd()
    .split('\n')
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}
