/** Nobody can read a password or a token in what streamlog prints, whatever it is told to do and whatever becomes of it. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serve} from '../support/http.js';
import {manifest} from '../support/manifest.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';
import {type Given, leaksOf, password, type SecretScene, startSecretScene, token, way} from '../support/secrets.js';

const archives = mkdtempSync(join(tmpdir(), 'streamlog-archives-'));
/** What a command needs so that it gets as far as the server, and comes to an end. */
const ARGUMENTS: Record<string, readonly string[]> = {
  ack: ['1-0'],
  archive: ['--dir', archives, '--exit'],
  check: ['--critical', 'length>1000000'],
  claim: ['1-0', '--to', 'w1'],
  completion: ['bash'],
  consume: ['--exit'],
  'context:add': ['added', '--url', ':1', '--force'],
  'context:remove': ['secret'],
  'context:show': ['secret'],
  'context:use': ['-'],
  copy: ['--to', 'copied'],
  delete: ['1-0'],
  export: ['--dry-run'],
  get: ['1-0'],
  'dlq:purge': ['1-0'],
  'group:gc': ['--idle', '1h'],
  'group:seek': ['--to', 'end'],
  nack: ['1-0'],
  produce: ['a=1'],
  serve: ['--listen', '127.0.0.1:0'],
  tail: ['--no-follow'],
  top: ['--once'],
  trim: ['--maxlen', '1000'],
};

let scene: SecretScene;
let state: string;

beforeAll(async () => {
  scene = await startSecretScene();
  state = mkdtempSync(join(tmpdir(), 'streamlog-secrets-'));
});
afterAll(async () => {
  await streamlog(['local', 'stop'], {env: {XDG_STATE_HOME: state}});
  await scene?.stop();
  for (const directory of [state, archives]) rmSync(directory, {recursive: true, force: true});
});

/** Runs the command as loudly as it can be; one that serves is told to stop when it is ready. */
async function loudly(id: string, {args, env}: Given, debug: string): Promise<Finished> {
  const {flags} = manifest.commands[id]!;
  const loud = ['json', 'verbose'].filter((name) => name in flags).map((name) => `--${name}`);
  const given = 'context' in flags ? args : args.filter((arg) => arg.startsWith('--password=') || arg === '--nonsense');
  const running = startStreamlog([...id.split(':'), ...(ARGUMENTS[id] ?? []), ...loud, ...given], {
    env: {EDITOR: 'true', XDG_CONFIG_HOME: state, ...env, DEBUG: debug, XDG_STATE_HOME: state},
  });
  running.process.stdin.end();
  if (id === 'serve') {
    const {process: child} = running;
    await until(() => child.exitCode !== null || running.stderr().includes('listening on'), 'serve listens or ends');
    child.kill('SIGTERM');
  }
  return running.finished;
}

/** How `id` may end where other commands end with `code`. */
function codesOf(id: string, code: number): number[] {
  // A shell that looks up a word must not be disturbed by any failure.
  if (id === '__complete') return [0];
  // Critical or unknown, for Nagios.
  return id === 'check' && code !== 0 ? [2, 3] : [code];
}

describe.each(Object.keys(manifest.commands))('%s', (id) => {
  const usesRedis = 'context' in manifest.commands[id]!.flags;
  const anyDebug = fc.constantFrom('*', 'ioredis*', 'oclif:*', 'streamlog', '', '');

  it('never shows a password, however it came and whatever becomes of it', async () => {
    await fc.assert(
      fc.asyncProperty(password, way, anyDebug, async (secret, chosen, level) => {
        const all = await scene.cases(secret, chosen);
        const cases = usesRedis ? all : all.filter(({code, what}) => code === 2 || what === 'the right password');
        await Promise.all(
          cases.map(async ({what, code, debug = level, ...given}) => {
            const finished = await loudly(id, given, debug);
            const about = `${what}, ${chosen}: ${finished.stdout}${finished.stderr}`;
            expect(leaksOf(secret, finished), about).toEqual([]);
            expect(finished.code, about).not.toBe(1);
            if (code !== undefined) expect(codesOf(id, code), about).toContain(finished.code);
            if (debug === '') expect(finished.stderr, about).not.toMatch(/^ +at /m);
          }),
        );
      }),
      // To look for a smaller one would take longer than the test may.
      {numRuns: 1, endOnFailure: true},
    );
  });
});

describe('serve', () => {
  const json = '{"a":1}';
  const authorized = (text: string): Record<string, string> => ({Authorization: `Bearer ${text}`});
  const redis = serverForAll();

  it('never shows a token, whoever comes with it and however it was given', async () => {
    const file = join(state, 'tokens');
    const ways: ((secret: string) => Given)[] = [
      (secret) => ({args: [`--token=${secret}`], env: {}}),
      (secret) => ({args: [], env: {STREAMLOG_TOKEN: secret}}),
      (secret) => {
        writeFileSync(file, `${secret}\n`);
        return {args: ['--token-file', file], env: {}};
      },
    ];
    await fc.assert(
      fc.asyncProperty(token, fc.constantFrom(...ways), async (secret, give) => {
        const {args, env} = give(secret);
        const served = await serve([...args, '--log-format', 'json'], {server: redis, env: {...env, DEBUG: '*'}});
        const statuses: number[] = [];
        const bodies: string[] = [];
        for (const [path, headers] of [
          ['/streams/events', authorized(secret)],
          ['/streams/events', authorized(`${secret}-`)],
          [`/streams/events?token=${encodeURIComponent(secret)}`, {}],
          ['/nowhere', authorized(secret)],
        ] as const) {
          const answer = await served.post(path, json, headers);
          statuses.push(answer.status);
          bodies.push(await answer.text());
        }
        expect(statuses.slice(0, 2)).toEqual([201, 401]);
        served.process.kill('SIGTERM');
        const {stdout, stderr} = await served.finished;
        expect(leaksOf(secret, {stdout: stdout + bodies.join(''), stderr}), stderr).toEqual([]);
      }),
      {numRuns: 4},
    );
  });

  it.runIf(process.platform === 'linux')('leaves no password of the environment in the list of processes', async () => {
    const [secret, url] = ['zQ9x-title', `redis://default:zQ9x-title@127.0.0.1:1`];
    const served = await serve([], {env: {STREAMLOG_PASSWORD: secret, STREAMLOG_URL: url, STREAMLOG_TOKEN: secret}});
    const shown = ['cmdline', 'comm'].map((name) => readFileSync(`/proc/${served.process.pid}/${name}`, 'utf8')).join();
    expect(shown).toContain('serve');
    expect(leaksOf(secret, {stdout: shown, stderr: ''})).toEqual([]);
    served.process.kill('SIGTERM');
    await served.finished;
  });
});
