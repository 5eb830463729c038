/** `produce --exactly-once`: no record twice and none lost, by --producer-id over several runs. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {type FaultProxy, startProxy} from '../faults/support/proxy.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let proxy: FaultProxy;
let stream: string;
let turn = 0;

beforeAll(async () => {
  proxy = await startProxy(server);
});
afterAll(async () => {
  await proxy?.stop();
});
beforeEach(() => {
  stream = `s${++turn}`;
});

const once = (input: string, ...args: string[]): Promise<Finished> =>
  streamlog(['produce', '-s', stream, '--exactly-once', ...args], {server, input});
const numbers = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => String(from + index));
const lines = (from: number, to: number): string =>
  numbers(from, to)
    .map((n) => `{"n":${n}}\n`)
    .join('');
const entries = () => server.redis.xrange(stream, '-', '+');
const values = async (): Promise<string[]> => (await entries()).map(([, [, value]]) => value!);
const fences = (): Promise<string[]> => server.redis.keys(`{${stream}}:streamlog:producer:*`);

describe('one run', () => {
  it('prints the IDs in the order of the records, and leaves nothing but them on the server', async () => {
    const {code, stdout, stderr} = await once(lines(1, 3_000), '--batch', '70');
    expect([code, stderr]).toEqual([0, 'streamlog: read 3000, added 3000, rejected 0, unconfirmed 0\n']);
    expect(await values()).toEqual(numbers(1, 3_000));
    expect(stdout).toBe((await entries()).map(([id]) => `${id}\n`).join(''));
    expect(await fences()).toEqual([]);
  });

  it('adds the records of another run again: each has an ID of its own', async () => {
    await once(lines(1, 3));
    await once(lines(1, 3));
    expect(await values()).toEqual([...numbers(1, 3), ...numbers(1, 3)]);
  });

  it.each([0, 1, 40])(
    'F1: a reply that is lost after %i bytes adds nothing twice, and its IDs are known',
    async (replyBytes) => {
      const cut = proxy.cutAfter('evalsha', 3, {replyBytes});
      const {code, stdout, stderr} = await once(lines(1, 1_000), '--batch', '100', '--url', proxy.url);
      await cut;
      expect(code).toBe(0);
      expect(stderr).not.toContain('twice');
      expect(await values()).toEqual(numbers(1, 1_000));
      expect(stdout).toBe((await entries()).map(([id]) => `${id}\n`).join(''));
    },
  );

  it('F2: a request that is lost is sent again, in its order', async () => {
    const cut = proxy.cutBefore('evalsha', 3);
    const {code} = await once(lines(1, 1_000), '--batch', '100', '--url', proxy.url);
    await cut;
    expect(code).toBe(0);
    expect(await values()).toEqual(numbers(1, 1_000));
  });

  it('goes on after SCRIPT FLUSH', async () => {
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once'], {server});
    running.process.stdin.write(lines(1, 2));
    await until(() => running.stdout().split('\n').length === 3, 'two are added');
    await server.redis.script('FLUSH');
    running.process.stdin.end(lines(3, 4));
    const {code, stdout} = await running.finished;
    expect([code, await values()]).toEqual([0, numbers(1, 4)]);
    expect(stdout).toBe((await entries()).map(([id]) => `${id}\n`).join(''));
  });

  it('keeps the order when Redis refuses for a while', async () => {
    await server.redis.config('SET', 'maxmemory', '1');
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once', '--batch', '50'], {server});
    running.process.stdin.end(lines(1, 1_000));
    await until(() => running.stderr().includes('maxmemory') || running.stderr().includes('OOM'), 'it is refused');
    await server.redis.config('SET', 'maxmemory', '0');
    const {code, stderr} = await running.finished;
    expect(code).toBe(0);
    expect(stderr).not.toContain('behind later ones');
    expect(await values()).toEqual(numbers(1, 1_000));
  });

  it('says so when records that were confirmed are gone: 70', async () => {
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once', '--producer-id', 'p'], {server});
    running.process.stdin.write(lines(1, 3));
    await until(() => running.stdout().split('\n').length === 4, 'three are added');
    await server.redis.hset((await fences())[0]!, 'mark', 1);
    running.process.stdin.end(lines(4, 5));
    const {code, stderr} = await running.finished;
    expect(code).toBe(70);
    expect(stderr).toContain('the stream has only 1 records of this producer, where 3 were confirmed');
  });

  describe('when Redis drops what it knows of the producer', () => {
    const begin = async (input: string, count: number) => {
      const running = startStreamlog(['produce', '-s', stream, '--exactly-once'], {server});
      running.process.stdin.write(input);
      await until(() => running.stdout().split('\n').length === count + 1, 'they are added');
      return running;
    };
    const dropState = async (): Promise<void> => {
      expect(await server.redis.del(await fences())).toBe(1);
    };

    it('adds nothing twice on a new connection: 70, as the stream has the last record', async () => {
      const running = await begin(lines(1, 3), 3);
      await dropState();
      await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      running.process.stdin.end(lines(4, 5));
      const {code, stderr} = await running.finished;
      expect(code).toBe(70);
      expect(stderr).toContain('Redis has forgotten this producer, of which 3 records were added');
      expect(await values()).toEqual(numbers(1, 3));
    });

    it.each(['trimmed', 'deleted'])('and the records were %s: 70 as well, since they were added', async (how) => {
      await server.redis.xadd(stream, '5-1', 'n', 'older');
      const running = await begin(lines(1, 3), 3);
      await dropState();
      if (how === 'trimmed') await server.redis.xtrim(stream, 'MAXLEN', 0);
      else await server.redis.xdel(stream, ...(await entries()).slice(1).map(([id]) => id));
      await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      running.process.stdin.end(lines(4, 5));
      expect((await running.finished).code).toBe(70);
      expect(await values()).toEqual(how === 'trimmed' ? [] : ['older']);
    });

    it('and the records with it, as in a failover, adds them again, whichever producer adds to the stream by then', async () => {
      await server.redis.xadd(stream, '5-1', 'n', 'older');
      const running = await begin(lines(1, 3), 3);
      await server.redis.del(stream, ...(await fences()));
      await server.redis.xadd(stream, '5-1', 'n', 'older');
      await server.redis.xadd(stream, '*', 'n', 'of another');
      await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      running.process.stdin.end(lines(4, 5));
      expect((await running.finished).code).toBe(0);
      expect(await values()).toEqual(['older', 'of another', ...numbers(1, 5)]);
    });

    it('says on the same connection what is known, and no more: 70', async () => {
      const running = await begin(lines(1, 3), 3);
      await dropState();
      running.process.stdin.end(lines(4, 5));
      const {code, stderr} = await running.finished;
      expect(code).toBe(70);
      expect(stderr).toContain('what Redis knew of this producer is gone, though 3 records were confirmed');
      expect(await values()).toEqual(numbers(1, 3));
    });
  });

  it('notices that the stream was deleted and begun anew by others meanwhile: 70', async () => {
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once'], {server});
    running.process.stdin.write(lines(1, 3));
    await until(() => running.stdout().split('\n').length === 4, 'three are added');
    await server.redis.del(stream);
    for (let n = 0; n < 9; n++) await server.redis.xadd(stream, '*', 'n', 'of another');
    running.process.stdin.end(lines(4, 5));
    const {code, stderr} = await running.finished;
    expect(code).toBe(70);
    expect(stderr).toContain(`the stream "${stream}" was deleted`);
    expect(await values()).toEqual(Array(9).fill('of another'));
  });

  it('needs no more rights than docs/producing.md names', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/producing.md'), 'utf8');
    const [, named = ''] = /The user of Redis needs\s+([^.]+)beside XADD/.exec(page) ?? [];
    const commands = named.match(/[A-Z]+(?: LOAD)?/g)!.map((name) => `+${name.toLowerCase().replace(' ', '|')}`);
    await server.redis.call(
      'ACL',
      'SETUSER',
      'narrow',
      'reset',
      'on',
      '>secret',
      '~*',
      '+xadd',
      '+@connection',
      ...commands,
    );
    const env = {STREAMLOG_USERNAME: 'narrow', STREAMLOG_PASSWORD: 'secret'};
    const narrow = (...args: string[]): Promise<Finished> =>
      streamlog(['produce', '-s', stream, '--exactly-once', ...args], {server, env, input: lines(1, 3)});
    expect(await narrow()).toMatchObject({code: 0});
    expect(await narrow('--producer-id', 'p')).toMatchObject({code: 0});
    const refused = await narrow('--atomic');
    expect(refused).toMatchObject({code: 77});
    expect(await server.redis.xlen(stream)).toBe(6);
    await server.redis.call('ACL', 'SETUSER', 'narrow', '+xdel');
    expect(await narrow('--atomic')).toMatchObject({code: 0});
  });

  it('adds to a stream of any name', async () => {
    for (const name of ['a}b', '{a}b', '}{'])
      expect(await streamlog(['produce', '-s', name, '--exactly-once', 'a=1'], {server}), name).toMatchObject({
        code: 0,
      });
  });
});

describe('--producer-id', () => {
  const again = (input: string, ...args: string[]): Promise<Finished> => once(input, '--producer-id', 'job', ...args);

  it('to run the same again adds only what is missing', async () => {
    expect((await again(lines(1, 700))).code).toBe(0);
    const second = await again(lines(1, 1_500));
    expect(second.stderr).toBe('streamlog: read 1500, added 800, already there 700, rejected 0, unconfirmed 0\n');
    expect(second.stdout.split('\n')).toHaveLength(801);
    expect((await again(lines(1, 1_500))).stderr).toContain('added 0, already there 1500');
    expect(await values()).toEqual(numbers(1, 1_500));
  });

  it('after a run that was refused half-way goes on there', async () => {
    const envelope = (...ids: string[]): string => ids.map((id) => `{"id":"${id}","fields":{"n":"${id}"}}\n`).join('');
    const keeping = ['--input', 'envelope', '--keep-ids'];
    const refused = await again(envelope('5-1', '5-2', '5-2', '5-4'), ...keeping);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('read 4, added 2, rejected 1, unconfirmed 1');
    expect((await again(envelope('5-1', '5-2', '5-3', '5-4'), ...keeping)).code).toBe(0);
    expect(await values()).toEqual(['5-1', '5-2', '5-3', '5-4']);
  });

  it('ends with 70 and adds nothing when its stream was deleted, or deleted and begun anew', async () => {
    await again(lines(1, 3));
    await server.redis.del(stream);
    for (const found of [[], ['new']]) {
      for (const value of found) await server.redis.xadd(stream, '*', 'value', value);
      const {code, stderr} = await again(lines(1, 4));
      expect(code).toBe(70);
      expect(stderr).toContain(`the stream "${stream}" was deleted`);
      expect(stderr).toMatch(/hint: another --producer-id/);
      expect(await values()).toEqual(found);
    }
  });

  it('takes records that were trimmed away for added', async () => {
    await again(lines(1, 3));
    await server.redis.xtrim(stream, 'MAXLEN', 0);
    expect((await again(lines(1, 4))).code).toBe(0);
    expect(await values()).toEqual(['4']);
  });

  it('is of its stream alone, and not of the same name in braces', async () => {
    await again(lines(1, 3));
    await streamlog(['produce', '-s', `{${stream}}`, '--exactly-once', '--producer-id', 'job', '-q'], {
      server,
      input: lines(1, 3),
    });
    expect(await server.redis.xlen(`{${stream}}`)).toBe(3);
  });

  it('refuses a name for its own keys as a stream: 2', async () => {
    await again(lines(1, 3));
    const [key] = await fences();
    expect((await streamlog(['produce', '-s', key!, 'a=1'], {server})).code).toBe(2);
    expect(await server.redis.type(key!)).toBe('hash');
  });

  it('is of its stream alone', async () => {
    await again(lines(1, 3));
    const elsewhere = ['produce', '-s', `${stream}-other`, '--exactly-once', '--producer-id', 'job', '-q'];
    await streamlog(elsewhere, {server, input: lines(1, 3)});
    expect(await server.redis.xlen(`${stream}-other`)).toBe(3);
  });

  it('keeps how far it is for a week', async () => {
    await again(lines(1, 3));
    const [state] = await fences();
    expect(state).toBe(`{${stream}}:streamlog:producer:${stream}:job`);
    const [last] = (await server.redis.xrevrange(stream, '+', '-', 'COUNT', 1))[0]!;
    expect(await server.redis.hgetall(state!)).toEqual({mark: '3', digest: '', last, seen: '3'});
    expect(await server.redis.ttl(state!)).toBeGreaterThan(7 * 86_400 - 60);
  });

  it('two runs at once add each record once', async () => {
    const [one, other] = await Promise.all([again(lines(1, 20_000), '-q'), again(lines(1, 20_000), '-q')]);
    expect([one!.code, other!.code]).toEqual([0, 0]);
    expect(await values()).toEqual(numbers(1, 20_000));
  });

  it('needs --exactly-once, and a name: 2', async () => {
    expect((await streamlog(['produce', '-s', stream, '--producer-id', 'p', 'a=1'], {server})).code).toBe(2);
    expect((await once(lines(1, 1), '--producer-id', '')).code).toBe(2);
    expect(await server.redis.exists(stream)).toBe(0);
  });
});
