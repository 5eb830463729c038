/** Which server a command talks to, as `-v` and errors say it. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serve} from '../support/http.js';
import {freePort, serverForAll, userUrl} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const server = serverForAll({tcp: true});
let closed: number;
let state: string;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'streamlog-which-'));
  closed = await freePort();
  await server.redis.xadd('events', '1-0', 'a', '1');
});
afterAll(() => rmSync(state, {recursive: true, force: true}));

describe('-v', () => {
  const here = (): string => `127.0.0.1:${server.port}`;

  it('names the server once, what it is, and where its address came from', async () => {
    const {stderr, stdout} = await streamlog(['range', '-v', '-u', here()]);
    expect(stderr).toMatch(
      new RegExp(`^streamlog: server ${here()} \\(--url\\), (Redis|Valkey) \\d+\\.\\d+\\.\\d+, master\n$`),
    );
    expect(stdout).toContain('"1-0"');
  });

  it.each([
    ['STREAMLOG_URL', {}],
    ['REDIS_URL', {STREAMLOG_URL: ' '}],
  ])('names the variable %s', async (name, env) => {
    const {stderr} = await streamlog(['ls', '-v'], {env: {...env, [name]: `redis://${here()}`}});
    expect(stderr).toContain(`server ${here()} (${name}), `);
  });

  it.each([
    ['produce', ['produce', 'a=1']],
    ['consume', ['consume', '--exit', '--count', '1']],
    ['tail', ['tail', '--no-follow']],
  ])('works with %s too', async (_, args) => {
    const {stderr, code} = await streamlog([...args, '-v', '-u', here()]);
    expect(code).toBe(0);
    expect(stderr.match(/server 127\.0\.0\.1:\d+ \(--url\)/g)).toHaveLength(1);
  });

  it('leaves out what the user may not ask', async () => {
    const url = await userUrl(server, '~*', '-@all', '+xrange', '+xrevrange');
    const {stderr, code} = await streamlog(['range', '-v', '-u', url]);
    expect([code, stderr]).toEqual([0, `streamlog: server ${here()} (--url)\n`]);
  });
});

it('serve says it too, with -v', async () => {
  const served = await serve(['-v'], {server});
  served.process.kill('SIGTERM');
  expect((await served.finished).stderr).toMatch(/^streamlog: server .* \(STREAMLOG_URL\), /m);
});

describe('an error of the connection', () => {
  const failing = async (env: Record<string, string>, ...args: string[]): Promise<string> =>
    (await streamlog(['ls', ...args], {env: {XDG_STATE_HOME: state, ...env}})).stderr;

  it('says where the address came from', async () => {
    expect(await failing({STREAMLOG_URL: `redis://127.0.0.1:${closed}`})).toContain(
      `cannot reach Redis at 127.0.0.1:${closed} (STREAMLOG_URL): nothing listens there`,
    );
    expect(await failing({}, '-u', `:${closed}`)).toContain(`127.0.0.1:${closed} (--url): nothing listens there`);
    expect(await failing({STREAMLOG_URL: 'redis://h:x'})).toContain('; it comes from STREAMLOG_URL\n');
  });

  it('says so where Redis refuses the user, too', async () => {
    expect(await failing({REDIS_URL: `redis://none:zQ9x@127.0.0.1:${server.port}`})).toMatch(
      /^streamlog: 127\.0\.0\.1:\d+ \(REDIS_URL\): Redis refuses the given user or password\n/,
    );
  });
});
