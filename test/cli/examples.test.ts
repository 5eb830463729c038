/**
 * Every example that --help shows is run, as it stands, in bash, in a directory
 * with the files that examples name and on a server with the entries that they
 * are about. A new example needs nothing here unless it goes on for ever.
 */
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {section} from '../support/handmade-section.js';
import {manifest} from '../support/manifest.js';
import {freePort, serverForAll, until} from '../support/redis-server.js';
import {type Running, shell, startShell, startStreamlog} from '../support/run-cli.js';

const commands = Object.entries(manifest.commands).filter(([, {hidden}]) => !hidden);
const examples = commands.flatMap(([id, command]) =>
  textsOf(command.examples).map((text) => [rendered(text, id), id] as const),
);

interface Endless {
  /** Begins with this, which is enough to know it by. */
  begins: string;
  /** It is interrupted when this holds. */
  isAtWork(running: Running): boolean | Promise<boolean>;
  code: number;
}

const server = serverForAll();
let port: number;
const directory = mkdtempSync(join(tmpdir(), 'streamlog-examples-'));
const state = {XDG_STATE_HOME: join(directory, 'state'), XDG_CONFIG_HOME: join(directory, 'config')};

const waits = async (): Promise<boolean> => /blocked_clients:[1-9]/.test(await server.redis.info('clients'));
const ENDLESS: Endless[] = [
  {begins: 'streamlog consume --name w1 | jq', isAtWork: waits, code: 130},
  {begins: "streamlog consume --name w1 --where 'type=login|logout' --others ack", isAtWork: waits, code: 130},
  {
    begins: 'streamlog produce --follow',
    // The two lines of its file, behind what the stream has.
    isAtWork: async () => (await server.redis.xlen('events')) === 7,
    code: 130,
  },
  {begins: 'streamlog tail', isAtWork: waits, code: 130},
  {
    begins: 'streamlog serve',
    isAtWork: ({stderr}) => ['listening', 'connected'].every((word) => stderr().includes(word)),
    code: 0,
  },
  {
    begins: "streamlog copy --match 'order*' --to-context",
    isAtWork: async () => ((await server.redis.xinfo('GROUPS', 'orders')) as unknown[]).length === 3,
    code: 130,
  },
  {
    begins: 'streamlog archive',
    isAtWork: async () => JSON.stringify(await server.redis.xinfo('GROUPS', 'orders')).includes('"archive"'),
    code: 130,
  },
  {begins: 'streamlog metrics --listen', isAtWork: ({stderr}) => stderr().includes('listening'), code: 0},
  {begins: 'streamlog top', isAtWork: ({stdout}) => stdout() !== '', code: 0},
  // test/cli/demo.test.ts sees it to its end.
  {begins: 'streamlog demo', isAtWork: ({stdout}) => stdout() !== '', code: 130},
];

beforeAll(async () => {
  port = await freePort();
  writeFileSync(join(directory, 'users.csv'), 'name,city\nAda,London\nGrace,"New York, NY"\n');
  for (const name of ['app', 'events', 'orders', 'order'])
    writeFileSync(join(directory, `${name}.ndjson`), '{"type":"login","amount":1}\n{"type":"logout","amount":2}\n');
  const backup = section({stream: 'backup', lastGeneratedId: '1-0'}, [{id: '1-0', fields: {n: '1'}}]);
  writeFileSync(join(directory, 'backup.ndjson'), backup);
  writeFileSync(join(directory, 'tokens'), 'a-token-of-more-than-enough-characters\n', {mode: 0o600});
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], {cwd: directory});
  mkdirSync(join(directory, 'bin'));
  // Editors that are content with what they find.
  for (const name of ['vi', 'nano']) writeFileSync(join(directory, 'bin', name), '#!/bin/sh\n', {mode: 0o755});
  git('init', '--quiet');
  for (const subject of ['First light', 'Second thoughts']) git('commit', '--quiet', '--allow-empty', '-m', subject);
});
afterAll(async () => {
  await shell('streamlog local stop', {env: state});
  rmSync(directory, {recursive: true, force: true});
});

describe.each(commands)('%s', (_, {examples: given}) => {
  it('has two examples or more', () => {
    expect(textsOf(given).length).toBeGreaterThanOrEqual(2);
  });
});

describe('examples', () => {
  it.each(examples)('%s', async (example, id) => {
    await prepare();
    const serving = example.startsWith('curl') ? startServe() : undefined;
    await until(() => serving === undefined || serving.stderr().includes('connected'), 'the HTTP server is there');
    if (id.startsWith('local:')) {
      await shell(id === 'local:start' ? 'streamlog local stop' : 'streamlog local start', {env: state});
    }

    // streamlog takes the signal all the same; other programs live on until their input ends.
    const line = `set -o pipefail; trap '' INT; ${onLoopback(example)}`;
    if (id.startsWith('context:') || id === 'copy') prepareContexts();
    const env = {...state, PATH: `${join(directory, 'bin')}:${process.env.PATH}`};
    const running = startShell(line, {server, cwd: directory, env});
    running.process.stdin.end();
    const endless = ENDLESS.find(
      ({begins}) => example.startsWith(begins) && !/--no-follow|--once|--exit/.test(example),
    );
    if (endless !== undefined) {
      await until(() => endless.isAtWork(running), 'it is at work');
      process.kill(-running.process.pid!, 'SIGINT');
    }
    const {code, stderr} = await running.finished;
    serving?.process.kill('SIGTERM');
    await serving?.finished;
    expect(code, stderr).toBe(endless?.code ?? 0);
    expect(stderr).not.toMatch(/this is a bug|command not found/);
  });
});

/** The contexts that examples name, of which prod is the current one, and staging the one before. */
function prepareContexts(): void {
  const files = {
    'config/streamlog/config.toml': [
      ...['prod', 'staging', 'old'].map((name) => `[context.${name}]\nurl = "${server.url}"\n`),
      `[context.standby]\nurl = "${server.url}?db=1"\n`,
    ],
    'state/streamlog/context': ['prod\nstaging\n'],
  };
  for (const [path, parts] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), {recursive: true});
    writeFileSync(join(directory, path), parts.join('\n'));
  }
}

/** The server as the examples take it for granted. */
async function prepare(): Promise<void> {
  const {redis} = server;
  await redis.flushall();
  const pipeline = redis.pipeline();
  const deadFrom = (stream: string): string[] => [
    '_dlq_stream',
    stream,
    '_dlq_group',
    'billing',
    '_dlq_id',
    '1526919030474-1',
  ];
  for (const stream of ['events', 'orders', 'payments']) {
    pipeline.xgroup('CREATE', stream, 'streamlog', '0', 'MKSTREAM');
    pipeline.xgroup('CREATE', stream, 'billing', '0');
    for (const id of ['1526919030474-55', '1526919030474-56', '*', '*']) {
      pipeline.xadd(stream, id, 'type', 'login', 'user', '7', 'body', '{}', 'amount', '0');
    }
    pipeline.xadd(stream, '*', 'type', 'test', 'user', '8');
    for (const group of ['streamlog', 'billing']) {
      pipeline.xreadgroup('GROUP', group, 'w1', 'COUNT', 2, 'STREAMS', stream, '>');
      pipeline.xclaim(stream, group, 'w1', 0, '1526919030474-55', 'IDLE', 7_200_000, 'RETRYCOUNT', 7);
    }
    for (const reason of ['exit code 65', 'exit code 1']) {
      const id = reason.endsWith('65') ? '1526919030474-55' : '*';
      pipeline.xadd(`{${stream}}:dead`, id, 'type', 'login', 'amount', '0', ...deadFrom(stream), '_dlq_reason', reason);
    }
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

const startServe = (): Running => startStreamlog(['serve', '--listen', `127.0.0.1:${port}`], {server});

/** The port of the examples may be taken, nothing here is for other machines, and logs are those of the test. */
const onLoopback = (example: string): string =>
  example
    .replace(/ serve$/, ' serve --listen :8080')
    .replaceAll('--listen :8080', `--listen 127.0.0.1:${port}`)
    .replaceAll('redis://standby.example', `${server.url}?db=1`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replaceAll('/var/log/', `${directory}/`);

function textsOf(given: (typeof manifest)['commands'][string]['examples'] = []): string[] {
  return given.map((one) => (typeof one === 'string' ? one : one.command));
}

function rendered(text: string, id: string): string {
  return text.replaceAll('<%= config.bin %>', 'streamlog').replaceAll('<%= command.id %>', id.replaceAll(':', ' '));
}
