/** A consumer's name is for one process at a time: a second one is warned, or refused. */
import {afterEach, describe, expect, it} from 'vitest';
import {serverForAll, serverPrograms, until, userUrl} from '../support/redis-server.js';
import {type Running, startStreamlog, streamlog} from '../support/run-cli.js';

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let running: Running | undefined;

  afterEach(async () => {
    running?.process.kill('SIGKILL');
    await running?.finished;
    running = undefined;
    await server.redis.flushall();
  });

  const consume = (...args: string[]) => streamlog(['consume', '--name', 'w1', '--exit', ...args], {server});

  async function startFirst(...args: string[]): Promise<Running> {
    const first = startStreamlog(['consume', '--name', 'w1', ...args], {server});
    running = first;
    await until(async () => (await server.redis.exists('events')) === 1, 'it has made its group');
    return first;
  }

  it('warns of another process that is running, and goes on', async () => {
    await startFirst();
    const {code, stderr} = await consume();
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^streamlog: warning: another process \(\S+\) is consumer "w1" of group "streamlog" on stream "events" too: entries are processed twice; give each process its own --name, or --exclusive to refuse\n$/,
    );
  });

  it('--exclusive refuses: 75, and takes nothing', async () => {
    await startFirst('--no-ack', '--count', '1');
    const {code, stdout, stderr} = await consume('--exclusive');
    expect([code, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(
      /^streamlog: consumer "w1" of group "streamlog" on stream "events" is in use by another process \(\S+\)\nhint: give each process its own --name\n$/,
    );
  });

  it('says nothing of another name, group or stream', async () => {
    await startFirst();
    for (const args of [
      ['--name', 'w2'],
      ['--name', 'w1', '--group', 'g'],
      ['--name', 'w1', '-s', 'other'],
    ]) {
      const {code, stderr} = await streamlog(['consume', '--exit', '--exclusive', ...args], {server});
      expect([args, code, stderr]).toEqual([args, 0, '']);
    }
  });

  it('neither keeps a process from its own name after kill -9, nor warns of itself after a reconnection', async () => {
    const killed = await startFirst('--exclusive');
    killed.process.kill('SIGKILL');
    await killed.finished;
    const next = await startFirst('--exclusive');
    const connected = async () =>
      /name=streamlog:\S+ .* cmd=xreadgroup/.test(String(await server.redis.call('CLIENT', 'LIST')));
    await until(connected, 'it is connected');
    await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {});
    await until(() => /answers again/.test(next.stderr()), 'it is connected again');
    expect(next.stderr()).not.toContain('another process');
  });

  it('a user who may not list clients is not warned, and --exclusive says that it cannot be kept: 75', async () => {
    const url = await userUrl(server, '~*', '+xreadgroup', '+xack', '+xgroup', '+xinfo', '+xpending');
    await startFirst();
    const as = (...args: string[]) => streamlog(['consume', '--name', 'w1', '--exit', ...args, '--url', url]);
    expect(await as()).toMatchObject({code: 0, stderr: ''});
    const refused = await as('--exclusive');
    expect(refused.code).toBe(75);
    expect(refused.stderr).toContain('Redis does not show whether another process has this name');
  });
});
