/**
 * The demo: Redis Streams shown with real processes on a real server. The proof at the end compares
 * the stream with what the workers wrote, and fails if they differ.
 */
import type {ChildProcess} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../../errors.js';
import type {Display} from '../../output/display.js';
import type {Sink} from '../../output/sink.js';
import {renderTable} from '../../output/table.js';
import type {StreamClient} from '../../stream-client.js';
import type {Sandbox} from './sandbox.js';

const STREAM = 'events';
const EVENTS = 5_000;
const GROUP = 'billing';
/** Longer than a worker that lives keeps an entry, and short enough for a demo. */
const CLAIM_IDLE_MS = 500;

/** A worker: writes each record to its file, and passes it on to be acknowledged. */
const WORKER = `while IFS= read -r record; do
  printf '%s\\n' "$record" >>"$1"   # the job
  printf '%s\\n' "$record"          # done: pass it on
done
`;

export interface Tour {
  sandbox: Sandbox;
  client: StreamClient;
  out: Sink;
  display: Display;
}

/** Throws `incomplete` if an event was not processed. */
export async function playTour(tour: Tour): Promise<void> {
  await showProducing(tour);
  const pending = await showSharing(tour);
  await showRecovery(tour, pending);
  await showSecondGroup(tour);
  const proof = await proveAll(tour);
  await showUpkeep(tour);
  await showMoving(tour);
  await tour.sandbox.say(
    '7. The proof: before the trim, every entry of the stream was compared with what the workers wrote.',
  );
  await tour.out.write(`${tour.display.colors.good('proved:')} ${proof}\n`);
}

const workerLine = (name: string): string =>
  `streamlog consume --group ${GROUP} --name ${name} --ack none | sh worker.sh ${name}.done | streamlog ack --quiet`;

async function showProducing({sandbox}: Tour): Promise<void> {
  await sandbox.say('1. Entries go into a stream: one from the command line, many from a pipe (XADD).');
  await sandbox.run('streamlog produce type=login user=ada');
  sandbox.write('events.ndjson', sampleEvents());
  await sandbox.run('head -2 events.ndjson');
}

async function showSharing(tour: Tour): Promise<number> {
  const {sandbox, client, out, display} = tour;
  await sandbox.say(
    '2. Three workers of one group share the load. Each writes what it has done; then it is acknowledged.',
  );
  sandbox.write('worker.sh', WORKER);
  await sandbox.run('cat worker.sh');
  const workers = new Map<string, ChildProcess>();
  for (const name of ['w1', 'w2', 'w3']) workers.set(name, await sandbox.start(workerLine(name)));
  await until(() => hasConsumers(client, 3), 'three workers joined the group');
  const producing = await sandbox.start('streamlog produce --file events.ndjson >ids.txt');

  await until(() => caughtInTheMiddle(tour, workers.get('w2')!), 'w2 is in the middle of its work');
  await sandbox.say('   Half-way, w2 is killed with SIGKILL.');
  await sandbox.kill(workers.get('w2')!, 'SIGKILL', 'w2');
  await sandbox.finish(producing);
  await until(async () => {
    const {ofOthers, unread} = await stillOpen(client);
    return ofOthers === 0 && !unread;
  }, 'the other workers have done the rest');
  for (const name of ['w1', 'w3']) await sandbox.kill(workers.get(name)!, 'SIGTERM', name);

  const rows = [...workers.keys()].map((name) => ({name, done: doneBy(sandbox, name).length}));
  await out.write(
    `\n${renderTable(
      rows,
      [
        {heading: 'worker', cell: ({name}) => name},
        {heading: 'events done', right: true, cell: ({done}) => done},
      ],
      display,
    )}`,
  );
  await sandbox.say('   Entries that w2 got and did not acknowledge are pending, not lost (XPENDING).');
  await sandbox.run(`streamlog pending --group ${GROUP}`);
  return (await stillOpen(client)).pending;
}

async function showRecovery({sandbox, client}: Tour, pending: number): Promise<void> {
  await sandbox.say('3. When w2 restarts, it first gets its own pending entries; here it processes half of them.');
  await sandbox.run(
    `streamlog consume --group ${GROUP} --name w2 --count ${Math.ceil(pending / 2)} --exit >>w2.done && wc -l w2.done`,
  );
  await sandbox.say('   If w2 never comes back, another worker takes over the rest (XCLAIM).');
  await until(() => idleLongEnough(client), 'the entries of w2 have been idle long enough');
  await sandbox.run(
    `streamlog consume --group ${GROUP} --name w4 --claim ${CLAIM_IDLE_MS}ms --exit >w4.done && wc -l w4.done`,
  );
  await sandbox.run(`streamlog pending --group ${GROUP}`);
}

async function showSecondGroup({sandbox}: Tour): Promise<void> {
  await sandbox.say('4. A second group, which only counts, gets every event too.');
  await sandbox.run(
    `streamlog consume --group audit --name a1 --exit --format '%f{type}\\n' | tee audit.done | sort | uniq -c`,
  );
}

async function showUpkeep({sandbox}: Tour): Promise<void> {
  await sandbox.say('5. The state of the stream (XINFO), rates and lag of all groups, and whether anything is wrong.');
  await sandbox.run('streamlog info');
  await sandbox.run('streamlog top --once');
  await sandbox.run('streamlog doctor');
  await sandbox.say('   Trimming what every group has processed (XTRIM).');
  await sandbox.run('streamlog trim --maxlen 500 --safe');
}

async function showMoving({sandbox}: Tour): Promise<void> {
  await sandbox.say('6. The stream moves to a second server, with its groups. Once more: import compares both.');
  await sandbox.openSecond();
  for (let run = 0; run < 2; run++) await sandbox.run('streamlog export events | streamlog import --url "$SECOND"');
}

/** Checks that a worker has processed every entry of the stream and that nothing is pending, and says so. Throws `incomplete`. */
async function proveAll({sandbox, client}: Tour): Promise<string> {
  const done = new Map<string, number>();
  for (const file of readdirSync(sandbox.directory).filter((name) => /^w\d\.done$/.test(name))) {
    for (const id of doneBy(sandbox, file.replace('.done', ''))) done.set(id, (done.get(id) ?? 0) + 1);
  }
  let entries = 0;
  let missing = 0;
  let twice = 0;
  for await (const page of client.range(STREAM)) {
    entries += page.length;
    missing += page.filter(({id}) => !done.has(id)).length;
    twice += page.filter(({id}) => (done.get(id) ?? 0) > 1).length;
  }
  const audited = linesOf(join(sandbox.directory, 'audit.done')).length;
  const open = await stillOpen(client);
  if (missing > 0 || open.pending > 0 || entries !== EVENTS + 1 || audited !== entries) {
    throw new StreamlogError(
      'incomplete',
      `of ${entries} events, ${missing} were not processed, ${open.pending} are pending, ${audited} audited`,
    );
  }
  const again =
    twice === 0 ? 'none of them twice' : `${twice} of them twice, because w2 died before they were acknowledged`;
  return `all ${entries} events were processed by ${GROUP} (${again}), and all ${audited} were seen by audit.`;
}

/** What the group has not finished: entries that are `pending`, those `ofOthers` than w2, and whether some are `unread`. */
async function stillOpen(client: StreamClient): Promise<{pending: number; ofOthers: number; unread: boolean}> {
  const [info, group, summary] = [
    await client.info(STREAM),
    await client.group(STREAM, GROUP),
    await client.pendingSummary(STREAM, GROUP),
  ];
  const ofW2 = summary.consumers.find(({name}) => name === 'w2')?.count ?? 0;
  return {
    pending: summary.count,
    ofOthers: summary.count - ofW2,
    unread: group.lastDeliveredId !== info.lastGeneratedId,
  };
}

/** True, with w2 suspended, if it has processed some entries and has more pending; otherwise w2 goes on. */
async function caughtInTheMiddle({sandbox, client}: Tour, w2: ChildProcess): Promise<boolean> {
  if (doneBy(sandbox, 'w2').length < 100) return false;
  sandbox.hold(w2);
  const {pending, ofOthers} = await stillOpen(client);
  if (pending - ofOthers >= 10) return true;
  sandbox.release(w2);
  return false;
}

async function idleLongEnough(client: StreamClient): Promise<boolean> {
  for await (const page of client.pending(STREAM, GROUP)) {
    if (page.some(({idleMs}) => idleMs <= CLAIM_IDLE_MS)) return false;
  }
  return true;
}

const hasConsumers = async (client: StreamClient, count: number): Promise<boolean> =>
  (await client.groups(STREAM)).some((group) => group.name === GROUP && group.consumers === count);

/** IDs of the records that a worker wrote; an incomplete last line does not count. */
const doneBy = (sandbox: Sandbox, worker: string): string[] =>
  linesOf(join(sandbox.directory, `${worker}.done`))
    .filter((line) => line.endsWith('}'))
    .map((line) => (JSON.parse(line) as {id: string}).id);

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

function sampleEvents(): string {
  const types = ['login', 'search', 'order', 'logout'];
  const users = ['ada', 'grace', 'edsger', 'barbara', 'åsa', 'léa'];
  return Array.from({length: EVENTS}, (_, index) => {
    const event = {type: types[index % types.length], user: users[index % users.length], number: index + 1};
    return `${JSON.stringify(event)}\n`;
  }).join('');
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs)
      throw new StreamlogError('incomplete', `the demo waited in vain for this: ${what}`);
    await sleep(20);
  }
}
