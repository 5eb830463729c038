/** The npm package, packed, installed and run by Node: the same program as the executable, which all other tests run. */
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';
import {cleanEnvironment, type Finished, shell, streamlog} from '../support/run-cli.js';

const ROOT = join(import.meta.dirname, '../..');

let server: RedisServer;
let prefix: string;
/** Where npm has put the package. */
let installed: string;
let RUN: string;

beforeAll(async () => {
  prefix = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  const npm = (...args: string[]) => execFileSync('npm', args, {cwd: ROOT, encoding: 'utf8', stdio: 'pipe'});
  const [{filename}] = JSON.parse(npm('pack', '--ignore-scripts', '--json', '--pack-destination', prefix));
  npm('install', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', prefix, join(prefix, filename));
  installed = join(prefix, 'lib/node_modules/streamlog');
  RUN = join(installed, 'bin/run.js');
  server = await startRedis();
});
afterAll(async () => {
  rmSync(prefix, {recursive: true, force: true});
  await server?.stop();
});

/** A line of bash in which `streamlog` is the package. */
const underNode = (line: string, input?: string): Promise<Finished> =>
  shell(`streamlog() { "${process.execPath}" "${RUN}" "$@"; }\n${line}`, {server, input});

describe('under Node', () => {
  it('produces and consumes through pipes', async () => {
    const {code, stdout, stderr} = await underNode(
      `set -o pipefail
      streamlog produce type=login 'who=Zoë 🙂' && streamlog produce -q && streamlog consume --name w1 --exit`,
      '{"n":1.0}\n{"n":12345678901234567890}\n',
    );
    expect([code, stderr]).toEqual([0, '']);
    const [id, ...records] = stdout.trimEnd().split('\n');
    expect(records.map((record) => JSON.parse(record))).toEqual([
      {stream: 'events', id, fields: {type: 'login', who: 'Zoë 🙂'}, group: 'streamlog', consumer: 'w1', deliveries: 1},
      expect.objectContaining({fields: {n: '1.0'}}),
      expect.objectContaining({fields: {n: '12345678901234567890'}}),
    ]);
    expect(await server.redis.xpending('events', 'streamlog')).toEqual([0, null, null, null]);
  });

  it.each([
    [['--help']],
    [['--version']],
    [['produce', '--help']],
    [['group', '--help']],
    [['help', 'delivery']],
    [['nonsense']],
    [['produce', 'a=1', '--count', '-1']],
    [['info', '--stream', 'missing']],
    [['produce', 'a=1', '--url', 'redis://127.0.0.1:1']],
  ])('%j is the same as of the executable', async (args) => {
    const words = args.map((word) => `'${word}'`).join(' ');
    const ofPackage = await underNode(`streamlog ${words}`);
    const ofExecutable = await streamlog(args, {server});
    const withoutRuntime = ({code, stdout, stderr}: Finished) => [code, stdout.replace(/ node-v\S+/, ''), stderr];
    expect(withoutRuntime(ofPackage)).toEqual(withoutRuntime(ofExecutable));
    expect(ofPackage.stdout + ofPackage.stderr).not.toBe('');
  });

  it('has the version of the package', async () => {
    const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string};
    expect((await underNode('streamlog --version')).stdout).toContain(`streamlog/${version} `);
  });

  it('ends quietly when its reader has gone, and in order on a signal', async () => {
    await server.redis.xadd('more', '1-0', 'a', '1');
    const piped = await underNode('set -o pipefail; streamlog range -s more | true');
    expect(piped).toMatchObject({code: 0, stderr: ''});

    const args = [RUN, 'consume', '--stream', 'more', '--name', 'w1'];
    const child = spawn(process.execPath, args, {env: cleanEnvironment(server), stdio: 'ignore'});
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'it waits');
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(await server.redis.xpending('more', 'streamlog')).toEqual([0, null, null, null]);
  });

  it('says in which file of src a failure began', async () => {
    const {code, stderr} = await underNode("DEBUG=streamlog streamlog produce a=1 --url 'redis://127.0.0.1:1'");
    expect(code).toBe(69);
    expect(stderr).toMatch(/\/src\/commands\/produce\.ts:\d+/);
  });
});

describe('the package', () => {
  it('is a command on the path, and needs no other package', async () => {
    const {code, stdout} = await shell(`"${prefix}/bin/streamlog" --version`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^streamlog\//)]);
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['streamlog']);
    expect(readdirSync(installed).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'package.json',
    ]);
    expect(readdirSync(join(installed, 'bin'))).toEqual(['run.js']);
    expect(readdirSync(join(installed, 'dist')).sort()).toEqual(['man', 'npm']);
  });

  it('holds no path of the machine that built it', () => {
    const files = readdirSync(join(installed, 'dist/npm')).map((name) => join(installed, 'dist/npm', name));
    expect(files.filter((path) => readFileSync(path, 'utf8').includes(`${ROOT}/`))).toEqual([]);
  });

  it('has the licence of each package whose code it holds', () => {
    const licenses = readFileSync(join(installed, 'dist/npm/THIRD_PARTY_LICENSES'), 'utf8');
    const chunks = readdirSync(join(installed, 'dist/npm')).filter((name) => name.endsWith('.js'));
    const text = chunks.map((name) => readFileSync(join(installed, 'dist/npm', name), 'utf8')).join('');
    const packages = new Set(
      [...text.matchAll(/^\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(([, name]) => name),
    );
    expect(packages).toContain('ioredis');
    for (const name of packages) expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });
});
