/**
 * No command, and not serve, holds Redis up, whatever the data: each is run on
 * data that is large in every way that was ever found to matter.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {crowdedSection, longSection} from '../support/handmade-section.js';
import {type Served, serve} from '../support/http.js';
import {manifest} from '../support/manifest.js';
import {type RedisServer, serverPrograms, startRedis} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {fill, fillPending, idOf, SIZES} from './dataset.js';
import {SlowCommands} from './slow-commands.js';

const archives = mkdtempSync(join(tmpdir(), 'streamlog-archives-'));
afterAll(() => rmSync(archives, {recursive: true, force: true}));

interface Case {
  args: string[];
  input?: string;
  /** `work` is a copy of this stream. */
  works?: 'big' | 'wide' | 'dead' | 'crowd';
  /** Leaves little of `work`, so that the next one gets a new copy. */
  spends?: boolean;
  /** Of `check`: what it found. */
  code?: number;
}

const ids = (count: number, step = 1): string =>
  Array.from({length: count}, (_, index) => `${idOf(index * step + 1)}\n`).join('');
const lines = (count: number, bytes: number): string => `${JSON.stringify({value: 'x'.repeat(bytes)})}\n`.repeat(count);
const middle = idOf(SIZES.entries / 2);
const work = ['-s', 'work'];

/** By the ID of the command. Those without a case do not talk to this server. */
const CASES: Record<string, Case[]> = {
  __complete: [
    {args: ['stream', '--', 's:', 'tail']},
    {args: ['group', '--', '', 'pending', '-s', 'big', '-g']},
    {args: ['consumer', '--', '', 'pending', '-s', 'crowd', '--consumer']},
    {args: ['id', '--', '', 'get', '-s', 'wide']},
  ],
  ack: [{args: [...work, '-q'], input: ids(3_000), works: 'big'}],
  check: [
    {args: ['-s', 'big', '-s', 'wide', '-c', 'lag>1', '-w', 'oldest_pending>1h'], code: 2},
    {args: ['-c', 'deliveries>5'], code: 3},
  ],
  claim: [
    {args: [...work, '--consumer', 'c7', '--to', 'w', '--min-idle', '1ms'], works: 'big'},
    {args: [...work, '-g', 'one', '--consumer', 'c1', '--to', 'w', '-n', '5000'], works: 'big'},
    {args: [...work, '--to', 'w'], input: ids(1_000, 100), works: 'big'},
    {args: [...work, '--consumer', 'c1', '--to', 'w'], works: 'wide'},
  ],
  completion: [{args: ['bash']}],
  consume: [
    {args: ['-s', 'big', '--name', 'w', '--exit']},
    {args: [...work, '--name', 'w', '--claim', '1ms', '-n', '3000'], works: 'big'},
    {args: [...work, '--name', 'w', '--claim', '1s', '-n', '20', '--exec', 'true', '-P', '4'], works: 'big'},
    {args: [...work, '--name', 'c1', '-g', 'one', '-n', '3000'], works: 'big'},
    {args: [...work, '--name', 'w', '-g', 'g4', '-n', '5000', '--ack', 'none'], works: 'big'},
    {args: [...work, '--name', 'w', '-g', 'g3', '-n', '5000', '--no-ack'], works: 'big'},
    {args: [...work, '--name', 'c1', '-n', '300'], works: 'wide'},
    {args: [...work, '--name', 'w', '--exit', '--where', 'value=none', '--others', 'ack'], works: 'big'},
    {args: [...work, '--name', 'w', '-g', 'fresh', '--exit', '--where', 'none', '--others', 'leave'], works: 'wide'},
    {args: [...work, '--name', 'w', '-g', 'fresh', '-n', '300'], works: 'wide'},
  ],
  copy: [
    {args: ['-s', 'big', '--to', 'new', '--groups', '--verify']},
    {args: ['-s', 'wide', '--to', 'new', '--groups', '--trim']},
    {args: ['-s', 'wide', '--to', 'once', '--new-ids']},
  ],
  delete: [{args: work, input: ids(3_000), works: 'big'}],
  'dlq:list': [{args: ['--dead-letter', 'dead']}],
  'dlq:purge': [{args: ['--dead-letter', 'work', '--force'], works: 'dead', spends: true}],
  'dlq:redrive': [
    {args: ['-s', 'big', '--dead-letter', 'work', '--to', 'redriven', '--limit', '300'], works: 'dead', spends: true},
  ],
  'dlq:show': [{args: ['--dead-letter', 'dead', '-s', 'big']}],
  doctor: [{args: []}, {args: ['--deep', 'crowd', 'wide']}],
  archive: [{args: ['-s', 'big', '-s', 'wide', '--dir', archives, '--exit']}],
  export: [
    {args: ['-s', 'big', '-s', 'wide', '-s', 'crowd']},
    {args: ['-s', 'big', '-s', 'wide', '--pending-only']},
    {args: ['--match', 's:1*', '--producers']},
  ],
  get: [
    {args: ['-s', 'big'], input: ids(2_000, 50)},
    {args: ['-s', 'wide'], input: ids(300)},
  ],
  'group:consumers': [{args: ['-s', 'big']}],
  'group:create': [{args: [...work, 'new', '--from', middle], works: 'big'}],
  'group:gc': [
    {args: ['-s', 'big', '--idle', '1ms', '--to', 'w', '--dry-run', '-q']},
    {args: [...work, '--idle', '1ms', '--to', 'w', '-q'], works: 'crowd', spends: true},
    {args: ['-s', 'wide', '--idle', '1ms']},
  ],
  'group:list': [{args: ['-s', 'big']}, {args: []}],
  'group:remove': [
    {args: [...work, 'streamlog', '--force'], works: 'big', spends: true},
    {args: [...work, 'one', '--force'], works: 'big', spends: true},
  ],
  'group:seek': [{args: [...work, 'g9', '--to', middle], works: 'big'}],
  import: [
    {args: ['-q'], input: crowdedSection('imported', SIZES.entries / 4, SIZES.consumers)},
    {args: ['-q'], input: longSection('imported', 300, SIZES.wideBytes)},
  ],
  info: [{args: ['-s', 'big', '-s', 'wide']}, {args: ['-s', 'big', '--consumers']}],
  ls: [{args: []}, {args: ['--match', 's:1*']}, {args: ['--sort', 'bytes']}],
  metrics: [{args: []}],
  nack: [{args: work, input: ids(500), works: 'big'}],
  pending: [
    {args: ['-s', 'big']},
    {args: ['-s', 'big', '-g', 'one']},
    {args: ['-s', 'big', '-g', 'one', '--consumer', 'c1', '--idle', '1h']},
    {args: ['-s', 'big', '--idle', '1h']},
    {args: ['-s', 'big', '--details', '--min-deliveries', '5']},
    {args: ['-s', 'wide', '--details', '--payload']},
    {args: ['-s', 'big', '--details', '--payload', '--where', 'value=none', '--max-scan', '20000']},
  ],
  produce: [
    {args: ['-s', 'new', '-q'], input: lines(20_000, 20)},
    {args: [...work, '-q', '--maxlen', '1000', '--approx'], input: lines(2_000, 20), works: 'big', spends: true},
    {args: ['-s', 'new', '-q'], input: lines(200, SIZES.wideBytes)},
    {args: ['-s', 'once', '-q', '--exactly-once', '--producer-id', 'p'], input: lines(5_000, 20)},
  ],
  range: [
    {args: ['-s', 'big', middle, '-n', '20000']},
    {args: ['-s', 'wide']},
    {args: ['-s', 'wide', '--reverse', '-n', '300']},
    {args: ['-s', 'wide', '--grep', 'none']},
    {args: ['-s', 'big', '--where', 'value=none', '--reverse']},
  ],
  tail: [{args: ['-s', 'big', '-s', 'wide', '--no-follow', '-n', '300']}],
  top: [{args: ['--once']}, {args: ['--once', '--max-streams', '6000', '--every', '2s']}],
  trim: [
    {args: [...work, '--maxlen', '1000'], works: 'big', spends: true},
    {args: [...work, '--max-age', '1h', '--safe'], works: 'big', spends: true},
    {args: ['-s', 'big', '--max-bytes', '1MB', '--dry-run']},
    {args: [...work, '--max-bytes', '1MB'], works: 'wide', spends: true},
  ],
};

/** They work on a server of their own, or on none; `context test` asks for no more than -v does. */
const ELSEWHERE = [
  ...['context:add', 'context:edit', 'context:list', 'context:remove', 'context:show', 'context:test', 'context:use'],
  ...['demo', 'help', 'local:start', 'local:status', 'local:stop', 'man', 'version'],
];

/**
 * XINFO CONSUMERS is the only command that says how idle a consumer is, and it has no pages: 4 to 10 ms for 20,000. What is
 * asked to list consumers asks it once for a group. MEMORY USAGE SAMPLES 0 walks the nodes of a stream.
 */
const LISTS_CONSUMERS = ['group:consumers', 'group:gc', 'info --consumers'];
const allowedMs =
  (name: string, args: readonly string[]) =>
  ([command, subcommand]: readonly string[]): number => {
    const key = args.includes('--consumers') ? `${name} --consumers` : name;
    if (command === 'xinfo' && subcommand?.toUpperCase() === 'CONSUMERS' && LISTS_CONSUMERS.includes(key)) return 100;
    return command === 'memory' ? 10 : 0;
  };

/** A server with its data, and what was copied to `work` last. */
class Scene {
  readonly server: RedisServer;
  readonly slow: SlowCommands;
  #copied: Case['works'];

  private constructor(server: RedisServer) {
    this.server = server;
    this.slow = new SlowCommands(server);
  }

  static async start(fillIn: (server: RedisServer) => Promise<void>, program?: string): Promise<Scene> {
    const scene = new Scene(await startRedis({program}));
    await fillIn(scene.server);
    await scene.slow.calibrate();
    return scene;
  }

  readonly prepare = async ({works, spends = false}: Case, isAgain: boolean): Promise<void> => {
    const {redis} = this.server;
    await redis.unlink('redriven', 'new', 'once', 'imported', ...(await redis.keys('*once*')));
    if (works === undefined) return;
    if (isAgain || works !== this.#copied) expect(await redis.call('COPY', works, 'work', 'REPLACE')).toBe(1);
    this.#copied = spends ? undefined : works;
  };

  /** What was slow while the command ran. */
  slowOf(name: string, one: Case): Promise<string[]> {
    const args = [...name.split(':'), ...one.args];
    const run = async (): Promise<void> => {
      const {code, stderr} = await streamlog(args, {server: this.server, input: one.input});
      expect([code, stderr.slice(0, 300)]).toEqual([one.code ?? 0, expect.any(String)]);
    };
    return this.slow.find(run, (isAgain) => this.prepare(one, isAgain), allowedMs(name, args));
  }
}

const named = (cases: readonly Case[]): [string, Case][] => cases.map((one) => [one.args.join(' '), one]);

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.start(fill);
});
afterAll(() => scene?.server.stop());

it('every command has its case', () => {
  expect(Object.keys(CASES).concat(ELSEWHERE).toSorted()).toEqual(
    Object.keys(manifest.commands)
      .filter((name) => name !== 'serve')
      .toSorted(),
  );
});

describe.each(Object.entries(CASES))('%s', (name, cases) => {
  it.each(named(cases))('%s', async (_, one) => {
    expect(await scene.slowOf(name, one)).toEqual([]);
  });
});

describe('serve', () => {
  let served: Served;

  beforeAll(async () => {
    served = await serve(['--allow-read', '*'], {server: scene.server});
  });
  afterAll(async () => {
    served.process.kill('SIGTERM');
    await served.finished;
  });

  const requests: [what: string, send: () => Promise<unknown>][] = [
    [
      'adds to a large stream',
      () => served.post('/streams/work', lines(1_000, 20), {'Content-Type': 'application/x-ndjson'}),
    ],
    [
      'adds wide entries',
      () => served.post('/streams/work', lines(15, SIZES.wideBytes), {'Content-Type': 'application/x-ndjson'}),
    ],
    ['adds once', () => served.post('/streams/work', '{"n":1}', {'Idempotency-Key': '"k"'})],
    [
      'is ready, and counts itself',
      () => Promise.all(['/readyz', '/metrics'].map((path) => fetch(`${served.url}${path}`))),
    ],
    [
      'sends wide entries as events',
      async () => {
        const ending = new AbortController();
        const {body} = await fetch(`${served.url}/streams/wide?from=start`, {signal: ending.signal});
        let bytes = 0;
        for await (const chunk of body!) {
          bytes += chunk.length;
          if (bytes > SIZES.wide * SIZES.wideBytes) break;
        }
        ending.abort();
      },
    ],
  ];

  it.each(requests)('%s', async (_, send) => {
    const {slow, prepare} = scene;
    expect(await slow.find(send, (isAgain) => prepare({args: [], works: 'big'}, isAgain))).toEqual([]);
  });
});

/**
 * From 8.4 on, Redis keeps what is pending in the order of its delivery times, which makes other commands dear: XCLAIM with an
 * IDLE in the past looks for its place. And there are others to use: XREADGROUP CLAIM, XNACK.
 */
const ELSE_ON_REDIS_8: Record<string, Case[]> = {
  consume: [
    {args: [...work, '--name', 'w', '--claim', '1ms', '-n', '3000'], works: 'big'},
    {args: [...work, '--name', 'w', '--claim', '1s', '-n', '20', '--exec', 'true', '-P', '4'], works: 'big'},
    {args: [...work, '--name', 'w', '--claim', '1s', '-n', '5', '--exec', 'false', '--max-deliver', '1'], works: 'big'},
  ],
  claim: [
    {args: [...work, '-g', 'one', '--consumer', 'c1', '--to', 'w', '-n', '5000'], works: 'big'},
    {args: [...work, '--to', 'w'], input: ids(1_000, 100), works: 'big'},
  ],
  nack: [{args: work, input: ids(500, 100), works: 'big'}],
  'group:gc': [{args: [...work, '--idle', '1ms', '--to', 'w', '-q'], works: 'crowd', spends: true}],
};

for (const {program} of serverPrograms().filter(({name}) => name === 'redis-8')) {
  describe('Redis 8', () => {
    let newer: Scene;
    beforeAll(async () => {
      newer = await Scene.start(fillPending, program);
    });
    afterAll(() => newer?.server.stop());

    describe.each(Object.entries(ELSE_ON_REDIS_8))('%s', (name, cases) => {
      it.each(named(cases))('%s', async (_, one) => {
        expect(await newer.slowOf(name, one)).toEqual([]);
      });
    });
  });
}
