/** `doctor`: each finding in a scene that has it and nothing else, its commands as they are printed, and no false alarm. */
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {SCENES, type Scene} from '../support/doctor-scenes.js';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, startRedis} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, type RunOptions, runSh, streamlog} from '../support/run-cli.js';

interface FoundFinding {
  id: string;
  level: string;
  stream: string | null;
  group: string | null;
  seen: Record<string, unknown>;
  what: string;
  look: string[];
  mend: string[];
}

const ofStreams = Array.from({length: 17}, (_, n) => `D${String(n + 1).padStart(2, '0')}`);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-doctor-'));
  writeFileSync(join(directory, 'worker'), '#!/bin/sh\ncat >/dev/null\n');
  chmodSync(join(directory, 'worker'), 0o755);
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

/** What is found of streams and groups. */
async function findings(server: RedisServer, args: string[] = [], options: RunOptions = {}): Promise<FoundFinding[]> {
  const {code, stdout, stderr} = await streamlog(['doctor', '--json', ...args], {server, ...options});
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return jsonLines<FoundFinding>(stdout).filter(({id}) => ofStreams.includes(id));
}

/** Runs a line of a finding as a person would paste it, where `./worker` is a program. */
const paste = (line: string, options: RunOptions): Promise<Finished> =>
  runSh(line, {...options, cwd: directory, env: {...options.env, PATH: `${dirname(EXECUTABLE)}:${process.env.PATH}`}});

async function withServer<T>(work: (server: RedisServer) => Promise<T>, options = {}): Promise<T> {
  const server = await startRedis(options);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

describe.concurrent.each(SCENES)('$id, $what', (scene: Scene) => {
  it('is found, and nothing else', async () => {
    await withServer(async (server) => {
      await scene.arrange(server.redis);

      const found = await findings(server);

      expect(found).toMatchObject([{id: scene.id, stream: 'orders', group: scene.group ?? null}]);
      for (const line of found[0]!.look) expect(await paste(line, {server})).toMatchObject({code: 0});
    });
  });

  it('is mended by each of the commands that are printed', async () => {
    for (let at = 0; at < 1 || at < mends; at++) await mend(scene, at);
  });
  let mends = 0;
  async function mend(scene: Scene, at: number): Promise<void> {
    await withServer(async (server) => {
      await scene.arrange(server.redis);
      for (let round = 0; round < (scene.rounds ?? 1); round++) {
        const [found] = (await findings(server)).filter(({id}) => id === scene.id);
        expect(found).toBeDefined();
        mends = found!.mend.length;
        if (mends === 0) return;
        const {code, stderr} = await paste(found!.mend[at]!, {server});
        expect([code, stderr]).toMatchObject([0, expect.not.stringContaining('hint:')]);
      }
      expect((await findings(server)).map(({id}) => id)).not.toContain(scene.id);
    });
  }
});
