/** `produce --follow` outlives a Redis that goes and comes, while real logrotate rotates its log. */
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readNumbers} from '../soak/numbered.js';
import {RotatedLog} from '../soak/rotated-log.js';
import {until} from '../support/redis-server.js';
import {startStreamlog} from '../support/run-cli.js';
import {STREAM, startScene} from './consume-scene.js';
import {seededRandom} from './support/seed.js';

const DURABLE = {args: ['--appendonly', 'yes', '--appendfsync', 'always']};

describe.each(['create', 'copytruncate'] as const)('%s', (rotation) => {
  it('F5 F6 Redis is killed and restarted, and the log goes on and is rotated: each line is added once, in order', async (context) => {
    const scene = await startScene(context, DURABLE);
    const directory = join(scene.server.directory, 'log');
    mkdirSync(directory, {mode: 0o755});
    const log = new RotatedLog(directory, rotation, seededRandom(`follow and Redis, ${rotation}`));
    // A window that is small beside what is written meanwhile.
    const args = ['produce', '-q', '-s', STREAM, '--follow', log.path, '--exactly-once', '--max-inflight', '100'];
    const run = startStreamlog(args, {server: scene.server});
    context.onTestFinished(() => void run.process.kill('SIGKILL'));
    for (let turn = 1; turn <= 3; turn++) {
      log.write(500);
      await until(async () => (await scene.redis.xlen(STREAM)) > 0, 'it is at work');
      await scene.killServer();
      for (let rotations = 0; rotations < 3; rotations++) {
        log.write(1_000);
        await log.rotate();
      }
      await until(() => run.stderr().split('trying again').length > turn, 'it says that it waits');
      scene.startServerAgain();
      await until(async () => (await scene.redis.xlen(STREAM)) > log.lines / 2, 'it goes on');
    }
    log.close();
    await until(async () => (await scene.redis.xlen(STREAM)) >= log.lines, 'all is added');
    run.process.kill('SIGTERM');
    expect((await run.finished).code).toBe(143);
    const found = await readNumbers(scene.server, STREAM, log.lines);
    expect(found).toEqual({entries: log.lines, missing: 0, twice: 0, outOfOrder: 0});
  });
});
