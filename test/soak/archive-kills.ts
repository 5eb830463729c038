/**
 * kill -9 of `archive` at points that chance chooses, while entries are added and `trim --safe` removes what is on disk. In the end, the
 * files together are what was added: each entry once, in order, and each file is whole by its own account.
 */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {SeededRandom} from '../faults/support/seed.js';
import {jsonLines} from '../support/json-lines.js';
import {startRedis} from '../support/redis-server.js';
import {startStreamlog, streamlog} from '../support/run-cli.js';

const STREAM = 'orders';

export interface ArchiveKills {
  kills: number;
  /** The longest time that a run is let live. */
  mostMs: number;
  program?: string | undefined;
}

export interface ArchiveFacts {
  killed: number;
  entries: number;
  files: number;
  lost: number;
  twice: number;
  outOfOrder: number;
  /** Files whose checksum, compression or line in the index is wrong. */
  bad: number;
  /** Entries that were trimmed and were not on disk at that moment. */
  passed: number;
}

/** The IDs in the files of a directory, in the order of their names, also in those that are not finished. */
export function archivedIds(directory: string): string[] {
  return archivedNames(directory, true).flatMap((name) =>
    jsonLines(textOf(join(directory, name))).map(({id}) => id as string),
  );
}

export const archivedNames = (directory: string, withParts = false): string[] =>
  readdirSync(directory)
    .filter((name) => /\.ndjson(\.gz|\.zst)?$/.test(withParts ? name.replace(/\.part$/, '') : name))
    .filter((name) => name !== 'index.ndjson')
    .sort();

/** The text of a file, compressed or not. */
export function textOf(path: string): string {
  const input = readFileSync(path);
  const program = path.includes('.zst') ? 'zstd' : path.includes('.gz') ? 'gzip' : 'cat';
  const args = program === 'cat' ? [] : ['-dc'];
  return execFileSync(program, args, {input, maxBuffer: 2 ** 30}).toString('utf8');
}

/** How many of the finished files are not what their checksum, their compression and the index say. */
export function badFiles(directory: string): number {
  const index = jsonLines(readFileSync(join(directory, 'index.ndjson'), 'utf8'));
  const names = archivedNames(directory);
  let bad = names.length === index.length ? 0 : 1;
  for (const [at, name] of names.entries()) {
    const path = join(directory, name);
    const ids = jsonLines(textOf(path)).map(({id}) => id as string);
    const sidecar = readFileSync(`${path}.sha256`, 'utf8');
    const [sha256] = execFileSync('sha256sum', [path]).toString().split(' ');
    if (name.endsWith('.gz')) execFileSync('gzip', ['-t', path]);
    const expected = {
      file: name,
      first: ids[0],
      last: ids.at(-1),
      entries: ids.length,
      bytes: readFileSync(path).length,
      sha256,
    };
    if (JSON.stringify(index[at]) !== JSON.stringify(expected) || sidecar !== `${sha256}  ${name}\n`) bad++;
  }
  return bad;
}

export async function killArchive(random: SeededRandom, {kills, mostMs, program}: ArchiveKills): Promise<ArchiveFacts> {
  const server = await startRedis({program});
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-archive-kills-'));
  const archived = join(directory, STREAM);
  const flags = ['--gzip', '--rotate', '20KB'];
  const start = (...more: string[]) =>
    startStreamlog(['archive', STREAM, '--dir', directory, ...flags, ...more], {server, limitMs: 600_000});
  const facts: ArchiveFacts = {killed: 0, entries: 0, files: 0, lost: 0, twice: 0, outOfOrder: 0, bad: 0, passed: 0};
  const added: string[] = [];
  let isOver = false;
  const add = async (): Promise<void> => {
    while (!isOver) {
      const pipeline = server.redis.pipeline();
      for (let n = random.integer(1, 60); n > 0; n--)
        pipeline.xadd(STREAM, '*', 'n', `${added.length + n}`, 'x', random.next());
      for (const [error, id] of (await pipeline.exec()) ?? []) {
        if (error !== null) throw error;
        added.push(id as string);
      }
      await sleep(random.integer(0, 20));
    }
  };
  try {
    await server.redis.xadd(STREAM, '*', 'n', '0').then((id) => added.push(id!));
    // Without a group, trim --safe removes all.
    await start('--exit').finished;
    const adding = add();
    adding.catch(() => {});
    while (facts.killed < kills) {
      const running = start();
      // Mostly short: a member is put on disk after five seconds, a file when it is full.
      await Promise.race([running.finished, sleep(random.next() * random.integer(0, mostMs))]);
      running.process.kill('SIGKILL');
      const {signal, code, stderr} = await running.finished;
      if (signal !== 'SIGKILL') throw new Error(`a run ended with ${code}\n${stderr}`);
      facts.killed++;
      if (random.next() < 0.3) {
        const trimmed = await streamlog(['trim', STREAM, '--safe', '--maxlen', '0'], {server});
        if (trimmed.code !== 0) throw new Error(trimmed.stderr);
        const [oldest] = await server.redis.xrange(STREAM, '-', '+', 'COUNT', 1);
        const gone = added.slice(0, oldest === undefined ? added.length : added.indexOf(oldest[0]));
        const there = new Set(readable(archived));
        facts.passed += gone.filter((id) => !there.has(id)).length;
      }
    }
    isOver = true;
    await adding;
    const {code, stderr} = await start('--exit').finished;
    if (code !== 0) throw new Error(`the last run ended with ${code}\n${stderr}`);
    const ids = archivedIds(archived);
    const once = new Set(ids);
    facts.entries = added.length;
    facts.files = archivedNames(archived).length;
    facts.lost = added.filter((id) => !once.has(id)).length;
    facts.twice = ids.length - once.size;
    facts.outOfOrder = JSON.stringify(ids) === JSON.stringify(added) ? 0 : 1;
    facts.bad = badFiles(archived);
    return facts;
  } finally {
    isOver = true;
    await server.stop();
    rmSync(directory, {recursive: true, force: true});
  }
}

/** The IDs that can be read of whatever a kill has left. */
function readable(directory: string): string[] {
  const script =
    'cd "$1" && for f in *.ndjson.gz *.ndjson.gz.part; do [ -e "$f" ] && gzip -dcq <"$f" 2>/dev/null; done; true';
  const text = execFileSync('sh', ['-c', script, 'sh', directory], {maxBuffer: 2 ** 30}).toString('utf8');
  return [...text.matchAll(/^\{"stream":"orders","id":"([^"]+)".*\}$/gm)].map(([, id]) => id!);
}
