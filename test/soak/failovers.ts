/**
 * Failovers under load, held against an independent counter: numbered records
 * go through `produce` at a steady rate while something happens to the master;
 * in the end a plain client reads the stream of the new master and counts. Not a
 * test by itself: see failovers.soak.ts.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Redis} from 'ioredis';
import {endWithUs} from '../support/leftovers.js';
import type {RedisServer} from '../support/redis-server.js';
import {type Running, startStreamlog} from '../support/run-cli.js';
import {type SentinelSet, startCluster, startSentinelSet} from '../support/topologies.js';

export const STREAM = 'events';
/** Long enough for the slowest failover here, which is over some 6 s after the event. */
const RUN_MS = 16_000;
const EVENT_AT_MS = 3_000;
const PER_SECOND = 300;
/** A node that was killed is started again. */
const BACK_AFTER_MS = 6_000;
/** A master that is stopped comes back when the run is over for itself, but not for the servers. */
const STOPPED_MS = 20_000;

/** Servers under one name, and what can happen to them. */
export interface Topology {
  url: string;
  /** Who has the stream now. */
  master(): Promise<RedisServer>;
  stop(): Promise<void>;
  /** By name; each ends when it has been done, not when it is over. */
  events: Record<string, () => Promise<void>>;
}

export interface Failover {
  event: string;
  fed: number;
  /** IDs that were printed. */
  reported: number;
  inStream: number;
  /** Numbers that were fed, or told where the end was not 0, and are not in the stream. */
  lost: number;
  twice: number;
  disorder: number;
  /** Numbers of the stream that the consumer never printed. */
  notConsumed: number;
  /** The longest time without a new ID. */
  gapMs: number;
  code: number | null;
  stderr: string;
}

/** One run: `args` are those of `produce`. */
export async function failover(topology: Topology, event: string, args: readonly string[]): Promise<Failover> {
  const env = {STREAMLOG_URL: topology.url};
  const consumer = startStreamlog(['consume', '--name', 'w1', '--stream', STREAM], {env, limitMs: 120_000});
  const producer = startStreamlog(['produce', '--stream', STREAM, ...args], {env, limitMs: 120_000});
  try {
    const gap = watchGap(producer);
    let fed = 0;
    const startMs = performance.now();
    let happened = false;
    while (performance.now() - startMs < RUN_MS && producer.process.exitCode === null) {
      const due = ((performance.now() - startMs) / 1_000) * PER_SECOND;
      for (; fed < due; fed++) producer.process.stdin.write(`{"value":"${fed}"}\n`);
      if (!happened && performance.now() - startMs > EVENT_AT_MS) {
        happened = true;
        await topology.events[event]!();
      }
      await sleep(10);
    }
    producer.process.stdin.end();
    const {code, stdout, stderr} = await producer.finished;
    const told = stdout.split('\n').length - 1;
    // The old master may still be on its way back; what counts is who has the stream when all is quiet.
    await sleep(event === 'SIGSTOP' ? STOPPED_MS - (performance.now() - startMs - EVENT_AT_MS) + 3_000 : 1_000);
    const values = await valuesOf((await topology.master()).redis);
    const seen = new Set(values);
    const consumed = await consumedBy(consumer, seen);
    const expected = code === 0 ? fed : told;
    return {
      event,
      fed,
      reported: told,
      inStream: values.length,
      lost: Array.from({length: expected}, (_, index) => index).filter((index) => !seen.has(index)).length,
      twice: values.length - seen.size,
      disorder: values.filter((value, index) => index > 0 && value < values[index - 1]!).length,
      notConsumed: [...seen].filter((value) => !consumed.has(value)).length,
      gapMs: gap(),
      code,
      stderr: `${stderr}--- consume: ${consumer.stderr()}`,
    };
  } finally {
    for (const {process} of [producer, consumer]) process.kill('SIGKILL');
    await Promise.allSettled([producer.finished, consumer.finished]);
  }
}

function watchGap({process}: Running): () => number {
  let longest = 0;
  let lastMs: number | undefined;
  createInterface({input: process.stdout}).on('line', () => {
    const nowMs = performance.now();
    if (lastMs !== undefined) longest = Math.max(longest, nowMs - lastMs);
    lastMs = nowMs;
  });
  return () => Math.round(longest);
}

async function valuesOf(redis: Redis): Promise<number[]> {
  const values: number[] = [];
  for (let from = '-'; ; ) {
    const page = await redis.xrange(STREAM, from, '+', 'COUNT', 5_000);
    for (const [, fields] of page) values.push(Number(fields[1]));
    if (page.length < 5_000) return values;
    from = `(${page.at(-1)![0]}`;
  }
}

/** What it has printed, once that is all of `wanted` or it has printed nothing new for long. */
async function consumedBy(consumer: Running, wanted: ReadonlySet<number>): Promise<Set<number>> {
  const printed = (): Set<number> =>
    new Set([...consumer.stdout().matchAll(/"value":"(\d+)"/g)].map(([, value]) => Number(value)));
  const deadlineMs = performance.now() + 10_000;
  let consumed = printed();
  while (performance.now() < deadlineMs && [...wanted].some((value) => !consumed.has(value))) {
    await sleep(200);
    consumed = printed();
  }
  return consumed;
}

/** 1 master, 2 replicas, 3 sentinels. */
export async function sentinelTopology(program?: string): Promise<Topology> {
  const set: SentinelSet = await startSentinelSet({program, replicas: 2, sentinels: 3});
  const {process} = set.master;
  return {
    url: set.url,
    master: () => set.untilMasterIsNot(set.master),
    async stop() {
      process.kill('SIGCONT');
      await set.stop();
    },
    events: {
      async FAILOVER() {
        await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
      },
      async 'kill -9'() {
        process.kill('SIGKILL');
      },
      async SIGSTOP() {
        process.kill('SIGSTOP');
        setTimeout(() => process.kill('SIGCONT'), STOPPED_MS);
      },
    },
  };
}

/** 3 masters with a replica each. */
export async function clusterTopology(program?: string): Promise<Topology> {
  const cluster = await startCluster({
    program,
    args: ['--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'],
  });
  const replicas = new Map<RedisServer, RedisServer>();
  for (const node of cluster.nodes) replicas.set(node, await cluster.addNode(node));
  const old = await cluster.nodeOf(STREAM);
  let again: ChildProcess | undefined;
  const other = cluster.nodes.find((node) => node !== old)!;
  return {
    url: cluster.url,
    master: () => cluster.nodeOf(STREAM),
    async stop() {
      old.process.kill('SIGCONT');
      again?.kill('SIGKILL');
      await cluster.stop();
    },
    events: {
      async FAILOVER() {
        await replicas.get(old)!.redis.call('CLUSTER', 'FAILOVER');
      },
      async 'kill -9'() {
        old.process.kill('SIGKILL');
        // With one replica each, nobody is left that could confirm a WAIT until it is back.
        setTimeout(() => {
          const [server = '', ...args] = old.process.spawnargs;
          again = spawn(server, args, {stdio: 'ignore'});
          endWithUs(again);
        }, BACK_AFTER_MS);
      },
      async SIGSTOP() {
        old.process.kill('SIGSTOP');
        setTimeout(() => old.process.kill('SIGCONT'), STOPPED_MS);
      },
      async 'slot moves'() {
        await cluster.moveSlot(STREAM, other);
      },
      async 'a node added'() {
        const node = await cluster.addNode();
        await cluster.addNode(node);
        await cluster.moveSlot(STREAM, node);
      },
    },
  };
}
