/**
 * A mirror whose connections are cut at commands that chance chooses, on both sides, and which is killed and started again,
 * while entries are added to its source, trimmed with --safe, and deleted. At the end both streams are compared.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {type FaultProxy, startProxy} from '../faults/support/proxy.js';
import type {SeededRandom} from '../faults/support/seed.js';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';
import {type Running, startStreamlog, streamlog} from '../support/run-cli.js';

const STREAM = 'orders';

export interface CopyCuts {
  entries: number;
  cuts: number;
  kills: number;
  /** Trims the source with --safe all the time; both can then be compared only as far as the source goes back. */
  trims: boolean;
  /** More flags of the mirror. */
  flags?: readonly string[];
}

export interface CopyVerdict {
  entries: number;
  /** Entries that the target lacks, that it has once more, and that are not the same. */
  lost: number;
  twice: number;
  different: number;
  outOfOrder: number;
  /** Cuts that came due. */
  cuts: number;
}

/** Servers that outlive single runs. */
export interface CopyScene {
  source: RedisServer;
  target: RedisServer;
  stop(): Promise<void>;
}

export async function startCopyScene(programs: {source?: string; target?: string} = {}): Promise<CopyScene> {
  const [source, target] = await Promise.all([
    startRedis({program: programs.source}),
    startRedis({program: programs.target}),
  ]);
  return {
    source,
    target,
    stop: async () => {
      await Promise.all([source.stop(), target.stop()]);
    },
  };
}

const COMMANDS = {
  source: ['xrange', 'xread', 'xinfo stream', 'xinfo groups', 'xgroup create', 'xgroup setid'],
  target: ['multi', 'xadd', 'exec', 'xinfo stream', 'xrange', 'get', 'set', 'watch'],
} as const;

export async function cutCopy(random: SeededRandom, scene: CopyScene, options: CopyCuts): Promise<CopyVerdict> {
  const {source, target} = scene;
  await Promise.all([source.redis.flushall(), target.redis.flushall()]);
  const proxies = {source: await startProxy(source), target: await startProxy(target)};
  const {entries, kills, trims, flags = []} = options;
  const args = ['copy', STREAM, '-u', proxies.source.url, '--to-url', proxies.target.url, '--follow', ...flags];
  const start = (): Running => startStreamlog([...args, '-q'], {limitMs: 300_000});
  const added: string[] = [];
  const add = async (count: number): Promise<void> => {
    const pipeline = source.redis.pipeline();
    const size = random.chance(0.1) ? 3_000 : 20;
    for (let n = 0; n < count; n++) pipeline.xadd(STREAM, '*', 'n', String(added.length + n), 'text', 'x'.repeat(size));
    for (const [, id] of (await pipeline.exec()) ?? []) added.push(String(id));
  };
  await add(random.integer(1, 2_000));
  let running = start();
  try {
    // From then on, trim --safe knows of it.
    await until(async () => ((await source.redis.xinfo('GROUPS', STREAM)) as unknown[]).length > 0, 'it has begun');
    running.process.kill('SIGKILL');
    await running.finished;
    let done = 0;
    const due = armCuts(random, proxies, options.cuts, () => done++);
    running = start();
    for (let killed = 0; added.length < entries; ) {
      await add(random.integer(1, random.chance(0.1) ? 3_000 : 200));
      if (random.chance(0.5)) await sleep(random.integer(0, 60));
      if (trims && random.chance(0.1))
        await streamlog(['trim', STREAM, '--maxlen', '10', '--safe', '-q'], {server: source});
      if (killed < kills && random.chance(0.1)) {
        killed++;
        running.process.kill('SIGKILL');
        await running.finished;
        running = start();
      }
    }
    await until(
      async () => {
        if (running.process.exitCode !== null)
          throw new Error(`it ended with ${running.process.exitCode}: ${running.stderr()}`);
        const [newest] = await target.redis.xrevrange(STREAM, '+', '-', 'COUNT', 1);
        return newest?.[1][1] === String(added.length - 1);
      },
      'everything is copied',
      60_000,
    );
    running.process.kill('SIGTERM');
    const {code, stderr} = await running.finished;
    if (code !== 143) throw new Error(`it ended with ${code}: ${stderr}`);
    await due;
    return {...(await judge(scene, added, flags.includes('--new-ids'))), cuts: done};
  } finally {
    running.process.kill('SIGKILL');
    await Promise.all([proxies.source.stop(), proxies.target.stop()]);
  }
}

/** Cuts of one side or the other, before or after a command, or in the middle of a reply. */
async function armCuts(
  random: SeededRandom,
  proxies: {source: FaultProxy; target: FaultProxy},
  cuts: number,
  onDue: () => void,
): Promise<void> {
  for (let n = 0; n < cuts; n++) {
    const side = random.pick(['source', 'target', 'target'] as const);
    const command = random.pick(COMMANDS[side]);
    const nth = random.integer(1, command === 'xadd' ? 3_000 : 12);
    const due = random.chance(0.5)
      ? proxies[side].cutBefore(command, nth)
      : proxies[side].cutAfter(command, nth, {replyBytes: random.integer(0, 20)});
    due.then(onDue, () => {});
  }
}

async function judge(
  {source, target}: CopyScene,
  added: readonly string[],
  newIds: boolean,
): Promise<Omit<CopyVerdict, 'cuts'>> {
  const originals = new Map(await source.redis.xrange(STREAM, '-', '+'));
  const copies = await target.redis.xrange(STREAM, '-', '+');
  const numbers = copies.map(([, fields]) => Number(fields[1]));
  const seen = new Set(numbers);
  const isOther = ([id, fields]: (typeof copies)[number]): boolean => {
    const original = added[Number(fields[1])];
    const kept = original === undefined ? undefined : originals.get(original);
    return (!newIds && id !== original) || (kept !== undefined && String(kept) !== String(fields));
  };
  return {
    entries: added.length,
    lost: added.filter((_, number) => !seen.has(number)).length,
    twice: numbers.length - seen.size,
    different: copies.filter(isOther).length,
    outOfOrder: numbers.filter((number, at) => number !== at).length,
  };
}
