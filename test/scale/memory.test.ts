/**
 * The memory of a command does not grow with its work: its peak is taken on
 * some data and on six times as much. The bound is far above what garbage
 * collection makes of chance, and below what it takes to keep an ID or a line of each.
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type RunOptions, startShell} from '../support/run-cli.js';

const FEW = 60_000;
/** Collections of garbage come each 16 MB, two thirds of what the bound allows for the difference. */
const MANY = 360_000;
/** An ID alone, kept as text in a set, takes some 100 bytes. */
const BYTES_PER_ENTRY = 80;

const server = serverForAll();
const archives = mkdtempSync(join(tmpdir(), 'streamlog-archives-'));
afterAll(() => rmSync(archives, {recursive: true, force: true}));

beforeAll(async () => {
  for (const [stream, count] of [
    ['few', FEW],
    ['many', MANY],
  ] as const)
    await server.redis.eval(
      `for i = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], i .. '-0', 'n', i) end
       for _, group in ipairs({'pending', 'print'}) do redis.call('XGROUP', 'CREATE', KEYS[1], group, '0') end
       redis.call('XREADGROUP', 'GROUP', 'pending', 'w1', 'COUNT', ARGV[1], 'STREAMS', KEYS[1], '>')`,
      1,
      stream,
      count,
    );
});

/** The most memory that a line's last process had, in bytes, by the kernel's own account. */
async function peakOf(line: string, options: RunOptions = {}): Promise<number> {
  const running = startShell(line, {server, limitMs: 120_000, ...options});
  running.process.stdin.end();
  let peak = 0;
  let ended = false;
  void running.finished.finally(() => {
    ended = true;
  });
  while (!ended) {
    peak = Math.max(peak, highWaterMark(running.process.pid!));
    await sleep(5);
  }
  // 65: there were bad lines.
  expect([0, 65]).toContain((await running.finished).code);
  return peak;
}

function highWaterMark(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

const on = (command: string) => (stream: string, count: number) =>
  `exec "$STREAMLOG" ${command.replaceAll('STREAM', stream).replaceAll('COUNT', String(count))} >/dev/null`;

it.each([
  ['range', on('range -s STREAM')],
  ['pending --details', on('pending -s STREAM -g pending --details')],
  ['pending --exact', on('pending -s STREAM -g pending --exact')],
  ['export', on('export STREAM')],
  ['export --pending-only', on('export STREAM --pending-only --gzip')],
  ['consume', on('consume -s STREAM -g print --name w --exit --batch 1000 -q')],
  ['consume of its own backlog', on('consume -s STREAM -g pending --name w1 --exit --batch 1000 -q')],
  ['archive', on('archive -s STREAM --dir "$ARCHIVES" --gzip --exit -q')],
  [
    'bad lines of input',
    (_: string, count: number) =>
      `exec "$STREAMLOG" produce -s bad --on-bad-line skip -q < <(yes nonsense | head -${count}) 2>/dev/null`,
  ],
] as const)('%s', async (_, line) => {
  const env = {ARCHIVES: archives, STREAMLOG: new URL('../../dist/streamlog', import.meta.url).pathname};
  const few = await peakOf(line('few', FEW), {env});
  const many = await peakOf(line('many', MANY), {env});
  expect((many - few) / (MANY - FEW)).toBeLessThan(BYTES_PER_ENTRY);
});
