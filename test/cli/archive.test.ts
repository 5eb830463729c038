/** `archive` as a black box: files, restarts after whatever was left, and what ends it. */
import {execFileSync} from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {archivedIds, archivedNames, badFiles, textOf} from '../soak/archive-kills.js';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, RUNTIMES, type Running, runSh, shell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let orders: string;
beforeEach(async () => {
  await server.redis.flushall();
  directory = mkdtempSync(join(tmpdir(), 'streamlog-archive-'));
  orders = join(directory, 'orders');
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

const PAGE = join(import.meta.dirname, '../../docs/moving.md');
const HOUR_MS = 3_600_000;
const TEN = Date.UTC(2026, 11, 1, 10);

/** Entries of ten o'clock and the milliseconds behind it. */
async function fill(from: number, to: number, stream = 'orders', startMs = TEN): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = from; n <= to; n++) pipeline.xadd(stream, `${startMs + n}-1`, 'n', `entry ${n}`);
  await pipeline.exec();
}
const archive = (...flags: string[]): Promise<Finished> =>
  streamlog(['archive', 'orders', '--dir', directory, ...flags], {server});
const archived = async (...flags: string[]): Promise<Record<string, unknown>> => {
  const {code, stdout, stderr} = await archive('--exit', ...flags);
  expect([code, stderr]).toEqual([0, '']);
  return jsonLines(stdout)[0] as Record<string, unknown>;
};
const range = async (stream = 'orders'): Promise<string> =>
  (await streamlog(['range', '--stream', stream], {server})).stdout;
const contents = (path = orders): string =>
  archivedNames(path)
    .map((name) => textOf(join(path, name)))
    .join('');
const groupAt = async (name = 'archive'): Promise<string | undefined> =>
  ((await server.redis.xinfo('GROUPS', 'orders')) as unknown[][])
    .map((facts) => Object.fromEntries(facts.flatMap((word, at) => (at % 2 === 0 ? [[word, facts[at + 1]]] : []))))
    .find((group) => group.name === name)?.['last-delivered-id'];

/** Runs `work` while an archiver runs, which is then ended by `signal`. */
async function following(work: (running: Running) => Promise<void>, ...flags: string[]): Promise<Finished> {
  const running = startStreamlog(['archive', 'orders', '--dir', directory, ...flags], {server});
  try {
    await work(running);
  } finally {
    running.process.kill('SIGTERM');
  }
  return running.finished;
}
const untilAt = (id: string): Promise<void> => until(async () => (await groupAt()) === id, `the group stands at ${id}`);

describe('the files', () => {
  it.each([[[]], [['--gzip']], [['--zstd']]])('hold what range prints, once and in order, with %j', async (flags) => {
    await fill(1, 3_000);
    const bytes = Buffer.from([0, 255, 13, 10, 36]);
    await server.redis.xadd('orders', `${TEN + 5_000}-18446744073709551615`, 'f', bytes, 'f', 'again', bytes, '');
    await server.redis.xadd('orders', '18446744073709551615-18446744073709551615', 'wide', 'x'.repeat(70_000));
    expect(await archived(...flags)).toEqual({
      stream: 'orders',
      directory: orders,
      archived: 3_002,
      skipped: 0,
      files: 2,
      lastId: '18446744073709551615-18446744073709551615',
      complete: true,
    });
    expect(contents()).toBe(await range());
    expect(badFiles(orders)).toBe(0);
    expect(archivedNames(orders).map((name) => name.replace(/\.(gz|zst)$/, ''))).toEqual([
      '2026-12-01T10-00-00.001Z-000001.ndjson',
      'x18446744073709551615-x18446744073709551615.ndjson',
    ]);
    expect(await groupAt()).toBe('18446744073709551615-18446744073709551615');
    expect(await archived(...flags)).toMatchObject({archived: 0, files: 0, complete: true});
  });

  it('end with the hour of their IDs, whatever the clock says, and at a size', async () => {
    for (const hour of [0, 1, 3]) await fill(1, 2_000, 'orders', TEN + hour * HOUR_MS);
    expect(await archived()).toMatchObject({archived: 6_000, files: 3});
    expect(archivedNames(orders)).toEqual([
      '2026-12-01T10-00-00.001Z-000001.ndjson',
      '2026-12-01T11-00-00.001Z-000001.ndjson',
      '2026-12-01T13-00-00.001Z-000001.ndjson',
    ]);
    await fill(1, 2_000, 'orders', TEN + 4 * HOUR_MS);
    const {files} = await archived('--rotate', '20KB');
    expect(files).toBeGreaterThan(4);
    expect(contents()).toBe(await range());
    expect(badFiles(orders)).toBe(0);
  });

  it('sort by their names as their IDs do, within a millisecond, too', async () => {
    const ids = ['1-1', '1-9', '1-10', '1-999999', '1-1000000', '1-10000000', '2-0', '10-0', '999-0', '1000-0'];
    for (const id of ids) {
      await server.redis.xadd('orders', id, 'id', id);
      await archived();
    }
    expect(archivedIds(orders)).toEqual(ids);
    expect(execFileSync('bash', ['-c', `LC_ALL=C.UTF-8; cat "${orders}"/[0-9x]*.ndjson`]).toString()).toBe(
      await range(),
    );
  });

  it.each(['a/b', '..', '.', '.hidden', '-s', 'ü €\n', '{"$b64":"//4="}', 'x'.repeat(500), 'index.ndjson', 'a\\b*?'])(
    'of a stream called %j are in a directory in DIR',
    async (name) => {
      const key = name.startsWith('{') ? Buffer.from([255, 254]) : name;
      await server.redis.xadd(key, '5-0', 'a', '1');
      const {code, stderr} = await streamlog(['archive', `--stream=${name}`, '--dir', directory, '--exit'], {server});
      expect([code, stderr]).toEqual([0, '']);
      const [made, ...others] = readdirSync(directory);
      expect(others).toEqual([]);
      expect(archivedIds(join(directory, made!))).toEqual(['5-0']);
    },
  );

  it('of all streams that match are in directories of their own', async () => {
    for (const stream of ['order:a', 'order:b', 'other']) await fill(1, 10, stream);
    const {code, stdout} = await streamlog(['archive', '--match', 'order*', '--dir', directory, '--exit'], {server});
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{stream: 'order:a'}, {stream: 'order:b'}]);
    expect(readdirSync(directory).sort()).toEqual(['order:a', 'order:b']);
  });

  it('have only what a condition wants', async () => {
    await fill(1, 100);
    expect(await archived('--where', 'n=entry 7')).toMatchObject({archived: 1, skipped: 99});
    await fill(101, 200);
    expect(await archived('--where', 'n=entry 7')).toMatchObject({archived: 0, skipped: 100});
    expect(archivedIds(orders)).toEqual([`${TEN + 7}-1`]);
  });

  it('are removed when they are too old by their IDs, and the archive goes on all the same', async () => {
    for (const day of [0, 10, 20]) await fill(1, 5, 'orders', TEN - (30 - day) * 24 * HOUR_MS);
    await archived();
    expect(archivedNames(orders)).toHaveLength(3);
    expect(await archived('--keep', '15d')).toMatchObject({archived: 0});
    expect(archivedNames(orders)).toHaveLength(2);
    expect(badFiles(orders)).toBe(0);
    await archived('--keep', '1h');
    expect(archivedNames(orders)).toHaveLength(1);
    expect(readdirSync(orders)).toHaveLength(3);
    await fill(1, 5);
    expect(await archived('--keep', '1h')).toMatchObject({archived: 5});
    expect(archivedNames(orders)).toEqual(['2026-12-01T10-00-00.001Z-000001.ndjson']);
  });
});

describe('while it runs', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s puts what was read on disk, moves the group, and the next run goes on',
    async (signal) => {
      await fill(1, 100);
      const running = startStreamlog(['archive', 'orders', '--dir', directory, '--gzip'], {server});
      await until(async () => existsSync(orders) && archivedNames(orders, true).length === 1, 'there is a part');
      running.process.kill(signal);
      const {code, stdout} = await running.finished;
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      const [{archived: count, ...facts} = {}] = jsonLines(stdout);
      expect(facts).toMatchObject({files: 0, lastId: `${TEN + Number(count)}-1`});
      expect(await groupAt()).toBe(facts.lastId);
      const [part, ...others] = archivedNames(orders, true);
      expect([part, others]).toEqual(['2026-12-01T10-00-00.001Z-000001.ndjson.gz.part', []]);
      execFileSync('gzip', ['-t'], {input: readFileSync(join(orders, part!))});
      await fill(101, 150);
      expect(await archived('--gzip')).toMatchObject({archived: 150 - Number(count), files: 1});
      expect(contents()).toBe(await range());
      expect(badFiles(orders)).toBe(0);
    },
  );

  it('the group stands where the disk does, so that trim --safe removes only what is there', async () => {
    await fill(1, 1_000);
    const {code} = await following(async () => {
      await until(async () => (await groupAt()) !== undefined, 'there is a group');
      for (let n = 2; n <= 6; n++) {
        await fill((n - 1) * 1_000 + 1, n * 1_000);
        const {code: trimmed} = await streamlog(['trim', 'orders', '--safe', '--maxlen', '0'], {server});
        expect(trimmed).toBe(0);
        const left = (await server.redis.xrange('orders', '-', '+')).map(([id]) => id);
        const onDisk = new Set(archivedNames(orders, true).length === 0 ? [] : archivedIds(orders));
        const all = Array.from({length: n * 1_000}, (_, at) => `${TEN + at + 1}-1`);
        expect(all.filter((id) => !left.includes(id) && !onDisk.has(id))).toEqual([]);
      }
      await untilAt(`${TEN + 6_000}-1`);
    });
    expect(code).toBe(143);
    expect(archivedIds(orders)).toHaveLength(6_000);
  });

  it('a file is finished when its time is over, though no entry has come', async () => {
    await fill(1, 5);
    await following(
      async () => {
        await until(async () => existsSync(orders) && archivedNames(orders).length === 1, 'the file is finished');
        await fill(6, 10);
        await untilAt(`${TEN + 10}-1`);
      },
      '--rotate',
      '1s',
    );
    expect(archivedIds(orders)).toHaveLength(10);
  });

  it('a directory that is removed under it ends it with 74, and the group does not move on', async () => {
    await fill(1, 5);
    const running = startStreamlog(['archive', 'orders', '--dir', directory], {server});
    await untilAt(`${TEN + 5}-1`);
    rmSync(orders, {recursive: true});
    await fill(6, 10);
    const {code, stderr} = await running.finished;
    expect([code, stderr]).toEqual([74, expect.stringContaining('was moved or removed while entries were archived')]);
    expect(await groupAt()).toBe(`${TEN + 5}-1`);
    const again = await archive('--exit');
    expect(again.stderr).toContain(`stood at ${TEN + 5}-1, ahead of what is there; moved back to 0-0`);
    expect(archivedIds(orders)).toHaveLength(10);
  });
});

describe('after a kill', () => {
  /** A part with 50 entries, and the rest of the stream. */
  async function interrupted(...flags: string[]): Promise<string> {
    await fill(1, 50);
    await following(
      () => until(async () => existsSync(orders) && archivedNames(orders, true).length === 1, 'a part'),
      ...flags,
    );
    await fill(51, 100);
    return join(orders, archivedNames(orders, true)[0]!);
  }
  const expectWhole = async (stderr: string | RegExp, flags: string[] = []): Promise<void> => {
    const again = await archive('--exit', ...flags);
    expect([again.code, again.stderr]).toEqual([0, stderr === '' ? '' : expect.stringMatching(stderr)]);
    expect(contents()).toBe(await range());
    expect(badFiles(orders)).toBe(0);
    expect(readdirSync(orders).filter((name) => name.endsWith('.part') || name.endsWith('.lock'))).toEqual([]);
  };

  it.each([
    [
      'half a member behind the last one',
      '--gzip',
      (part: string) => appendFileSync(part, gzipSync('{"stream":"orders"').subarray(0, 15)),
    ],
    ['half of its only member', '--gzip', (part: string) => truncateSync(part, 60)],
    ['nothing at all', '--gzip', (part: string) => truncateSync(part, 0)],
    ['half a line', '', (part: string) => appendFileSync(part, '{"stream":"orders","id":"99')],
    [
      'lines that a crash has left as zeros',
      '',
      (part: string) => appendFileSync(part, Buffer.concat([Buffer.alloc(500), Buffer.from('\nx\n')])),
    ],
    ['half of its first line', '', (part: string) => truncateSync(part, 10)],
    ['half of a frame', '--zstd', (part: string) => truncateSync(part, 60)],
  ] as const)('a part with %s is cut back, and what was cut off is read again', async (_, flag, damage) => {
    const flags = flag === '' ? [] : [flag];
    const part = await interrupted(...flags);
    damage(part);
    await expectWhole(/cut off|moved back/, flags);
  });

  it('a part that is compressed in another way than now is finished, and another file begun', async () => {
    await interrupted('--gzip');
    await expectWhole('');
    expect(archivedNames(orders).map((name) => /ndjson.*/.exec(name)![0])).toEqual(['ndjson.gz', 'ndjson']);
  });

  it.each([
    ['without its line in the index', () => truncateSync(join(orders, 'index.ndjson'), 0)],
    ['with half a line in the index', () => truncateSync(join(orders, 'index.ndjson'), 40)],
    ['without an index', () => rmSync(join(orders, 'index.ndjson'))],
    [
      'without its checksum and its line',
      () => {
        rmSync(join(orders, 'index.ndjson'));
        rmSync(join(orders, '2026-12-01T10-00-00.001Z-000001.ndjson.gz.sha256'));
      },
    ],
  ])('a finished file %s is read and listed', async (_, damage) => {
    await fill(1, 50);
    await archived('--gzip');
    damage();
    await fill(51, 100);
    await expectWhole('', ['--gzip']);
  });

  it('a part that is older than what is finished is refused (65)', async () => {
    await fill(1, 50);
    await archived();
    const [name] = archivedNames(orders);
    writeFileSync(join(orders, `${name}.part`), readFileSync(join(orders, name!)));
    const {code, stderr} = await archive('--exit');
    expect([code, stderr]).toEqual([65, expect.stringContaining('before the end of the file before it')]);
  });

  it('a file of another stream is refused (65), and stays as it is', async () => {
    const part = await interrupted();
    writeFileSync(part, '{"stream":"other","id":"1-0","fields":{"n":"1"}}\n');
    const {code, stderr} = await archive('--exit');
    expect([code, stderr]).toEqual([65, expect.stringContaining('line 1: it is no entry of stream "orders"')]);
    expect(readFileSync(part, 'utf8')).toContain('other');
  });
});

describe('what ends it', () => {
  it('another archiver of the same stream in the same directory (78)', async () => {
    await fill(1, 5);
    await following(async () => {
      await until(async () => existsSync(orders) && archivedNames(orders, true).length === 1, 'it has begun');
      const {code, stderr} = await archive('--exit');
      expect([code, stderr]).toEqual([78, expect.stringContaining(`another streamlog archives into ${orders}`)]);
    });
    expect(await archived()).toMatchObject({archived: 0, files: 1});
  });

  it('a group with consumers (78), which is left as it is', async () => {
    await fill(1, 5);
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 1, 'STREAMS', 'orders', '>');
    const {code, stderr} = await archive('--exit', '-g', 'billing');
    expect([code, stderr]).toEqual([78, expect.stringContaining('group "billing" of stream "orders" has consumers')]);
    expect(await groupAt('billing')).toBe(`${TEN + 1}-1`);
  });

  it('entries that were trimmed before they were archived (70); --from start goes on and says so', async () => {
    await fill(1, 50);
    await archived();
    await server.redis.xgroup('DESTROY', 'orders', 'archive');
    await fill(51, 100);
    await server.redis.xtrim('orders', 'MAXLEN', 20);
    const {code, stderr} = await archive('--exit');
    expect([code, stderr]).toEqual([70, expect.stringContaining('before they were archived')]);
    expect(archivedIds(orders)).toHaveLength(50);
    const again = await archive('--exit', '--from', 'start');
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('before they were archived')]);
    expect(archivedIds(orders)).toHaveLength(70);
    expect(badFiles(orders)).toBe(0);
  });

  it('a stream that was deleted and made again, with IDs that are behind or ahead (70)', async () => {
    await fill(1, 50);
    await archived();
    await server.redis.del('orders');
    await fill(100, 110);
    const ahead = await archive('--exit');
    expect([ahead.code, ahead.stderr]).toEqual([70, expect.stringContaining('archived')]);
    expect(await archive('--exit', '--from', 'start')).toMatchObject({code: 0});
    await server.redis.del('orders');
    await fill(1, 3, 'orders', 1_000);
    const behind = await archive('--exit');
    expect([behind.code, behind.stderr]).toEqual([70, expect.stringContaining('it has begun anew')]);
    expect(archivedIds(orders)).toHaveLength(61);
  });

  it('a stream that gets entries under IDs that are archived, while it runs (70)', async () => {
    await fill(1, 50);
    const running = startStreamlog(['archive', 'orders', '--dir', directory], {server});
    await untilAt(`${TEN + 50}-1`);
    await server.redis.xdel('orders', ...Array.from({length: 10}, (_, at) => `${TEN + 41 + at}-1`));
    await server.redis.call('XSETID', 'orders', `${TEN + 40}-1`, 'ENTRIESADDED', '40', 'MAXDELETEDID', '0-1');
    await until(async () => running.stderr().includes('lacks what was archived after'), 'it is noticed');
    await fill(45, 45);
    const {code, stderr} = await running.finished;
    expect([code, stderr]).toEqual([70, expect.stringContaining(`has the entry ${TEN + 45}-1`)]);
    expect(archivedIds(orders)).toHaveLength(50);
  });

  it('no failover: a last entry that the stream has lost is reported, and what comes is archived', async () => {
    await fill(1, 50);
    await archived();
    await server.redis.xdel('orders', `${TEN + 50}-1`);
    await server.redis.call('XSETID', 'orders', `${TEN + 51}-1`, 'ENTRIESADDED', '50', 'MAXDELETEDID', '0-1');
    await fill(52, 60);
    const {code, stderr} = await archive('--exit');
    expect([code, stderr]).toEqual([0, expect.stringContaining(`lacks the entry ${TEN + 50}-1, which is archived`)]);
    expect(archivedIds(orders)).toHaveLength(59);
  });

  it('a stream that is not there (66), and a directory that cannot be made (74)', async () => {
    expect(await archive('--exit')).toMatchObject({code: 66});
    await fill(1, 5);
    const {code} = await streamlog(['archive', 'orders', '--exit', '--dir', '/dev/null/x'], {server});
    expect(code).toBe(74);
  });

  it.each(RUNTIMES)('a disk that is full (74): the group stays behind what is on it, with %s', async (_, program) => {
    const pipeline = server.redis.pipeline();
    for (let n = 1; n <= 3_000; n++) pipeline.xadd('orders', `${TEN + n}-1`, 'n', String(n), 'x', 'y'.repeat(600));
    await pipeline.exec();
    const kept = join(directory, 'kept');
    const line =
      `mkdir "$1" && mount -t tmpfs -o size=1m tmpfs "$1" || exit 99; ` +
      `${program} archive orders --dir "$1" --exit --rotate 100KB; code=$?; cp -r "$1" "$2"; umount "$1"; exit $code`;
    const {code, stderr} = await runSh(
      `unshare -rm sh -c '${line.replaceAll("'", `'\\''`)}' sh "${join(directory, 'small')}" "${kept}"`,
      {server},
    );
    expect([code, stderr]).toEqual([74, expect.stringContaining('no space is left')]);
    const onDisk = archivedNames(join(kept, 'orders')).flatMap((name) =>
      jsonLines(textOf(join(kept, 'orders', name))).map(({id}) => id as string),
    );
    expect(onDisk.length).toBeGreaterThan(500);
    const at = await groupAt();
    expect(at === '0-0' || onDisk.includes(at!)).toBe(true);
    const rest = await streamlog(['archive', 'orders', '--exit', '--dir', kept], {server});
    expect(rest.code).toBe(0);
    expect(contents(join(kept, 'orders'))).toBe(await range());
  });

  it.each([
    [['--rotate', '1'], '--rotate takes a time'],
    [['--rotate', '1h', '--rotate', '2h'], 'one time and one size'],
    [['--dir', ''], '--dir'],
    [['--gzip', '--zstd'], 'gzip'],
  ])('flags that make no sense: %j (2)', async (flags, text) => {
    const {code, stderr} = await archive(...flags);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});

describe('reading back', () => {
  beforeEach(async () => {
    for (const hour of [0, 1, 2]) await fill(1, 400, 'orders', TEN + hour * HOUR_MS);
    await archived('--gzip');
    expect(archivedNames(orders)).toHaveLength(3);
  });
  const entries = (stream: string) => server.redis.xrange(stream, '-', '+');

  it('import takes all files as one, whole or not at all', async () => {
    const {code, stdout} = await shell(`cat "${orders}"/*.ndjson.gz | streamlog import --unsealed --into back`, {
      server,
    });
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{stream: 'back', entries: 1_200, verified: true}]);
    expect(await entries('back')).toEqual(await entries('orders'));
  });

  it('the recipe of docs/moving.md archives, trims and restores', async () => {
    const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text!);
    const [save, restore] = ['--safe --maxlen 1000', 'orders-restored'].map((word) =>
      blocks.find((text) => text.includes(word))!.replaceAll('/var/archive', directory),
    );
    await fill(1, 400, 'orders', TEN + 3 * HOUR_MS);
    const before = await entries('orders');
    expect(await shell(save!, {server})).toMatchObject({code: 0});
    expect(await entries('orders')).toHaveLength(1_000);
    expect(await shell(restore!, {server})).toMatchObject({code: 0});
    expect(await entries('orders-restored')).toEqual(before);
  });

  it('import --append takes one file after the other, and again what is new', async () => {
    const {code} = await shell(`streamlog import --unsealed --append --into back "${orders}"/*.ndjson.gz`, {server});
    expect(code).toBe(0);
    await fill(1, 400, 'orders', TEN + 3 * HOUR_MS);
    await archived('--gzip');
    expect(
      await shell(`streamlog import --unsealed --append --into back "${orders}"/*.ndjson.gz`, {server}),
    ).toMatchObject({code: 0});
    expect(await entries('back')).toEqual(await entries('orders'));
  });
});
