/**
 * A long-lived worker between `consume --ack none` and `ack`, killed half-way:
 * what it passed on is acknowledged, the rest is pending, and a second run gets
 * exactly the rest.
 */
import {afterAll, afterEach, beforeAll, expect, it} from 'vitest';
import {Bench} from '../support/consuming.js';
import {until} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, shell, startShell} from '../support/run-cli.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());
afterEach(() => bench.clear());

/** Works on a record, notes it in `$DIR/done`, passes it on, and is killed where `$DIE` says. */
const WORKER = `
n=0
while read -r record; do
  n=$((n + 1))
  [ "$DIE" = "before $n" ] && kill -9 $$
  printf '%s\\n' "$record" >>"$DIR/done"
  [ "$DIE" = "between $n" ] && kill -9 $$
  printf '%s\\n' "$record"
  [ "$DIE" = "after $n" ] && kill -9 $$
done`;

const pipeline = (more = ''): string =>
  `"${EXECUTABLE}" consume --name w1 --ack none ${more} | bash -c "$WORKER" | "${EXECUTABLE}" ack`;

const options = (die: string) => ({server: bench.server, env: {WORKER, DIE: die, DIR: bench.path('.')}});

const run = (die: string): Promise<Finished> => shell(pipeline('--exit'), options(die));

const doneIds = (): string[] => bench.lines('done').map((line) => (JSON.parse(line) as {id: string}).id);

const ids = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => `${from + index}-0`);

it.each([
  ['before 6', 5, 6],
  ['between 6', 5, 6],
  ['after 6', 6, 7],
])('killed %s: what it passed on is acknowledged, and a rerun gets the rest', async (die, passedOn, next) => {
  await bench.produce(500);
  const first = await run(die);
  expect(JSON.parse(first.stdout)).toMatchObject({acknowledged: passedOn, notPending: 0});
  const left = await bench.pendingIds();
  expect(left.filter((id) => ids(1, passedOn).includes(id))).toEqual([]);
  const workedBefore = doneIds();

  const second = await run('never');
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout)).toMatchObject({acknowledged: 500 - passedOn, notPending: 0});
  expect(doneIds().slice(workedBefore.length)).toEqual(ids(next, 500));
  expect(await bench.pending()).toEqual([]);
});

it('killed while entries go on coming: consume notices, and nothing else is acknowledged', async () => {
  await bench.produce(3);
  const running = startShell(`${pipeline()}; echo "\${PIPESTATUS[*]}" >&2`, options('between 5'));
  await until(async () => (await bench.pendingIds()).length === 0 && doneIds().length === 3, 'three are done');
  for (const id of ['4-0', '5-0', '6-0']) await bench.server.redis.xadd('events', id, 'n', id);
  const done = await running.finished;
  expect(done.stderr).toContain('0 137 0');
  expect(JSON.parse(done.stdout)).toMatchObject({acknowledged: 4});
  await run('never');
  expect(doneIds()).toEqual([...ids(1, 5), '5-0', '6-0']);
  expect(await bench.pending()).toEqual([]);
});
