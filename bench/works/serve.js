// Serve: wrk POSTs over 32 connections, one event or a batch of 100 a request.
// All servers run from the beginning to the end; only one has work at a time.
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {run} from '../measure/children.js';
import {ndjsonLine, pieces, SHAPES, writeLines} from '../measure/inputs.js';
import {program} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';
import {expectFields} from '../measure/server.js';
import {readLastLine, startServers} from './serve-peers.js';

const CONNECTIONS = 32;
const BATCH = 100;
const OURS = 'streamlog serve';
const BULK = 'streamlog produce -q, the same events from a file';
const NO_WRK = program('wrk').missing;

export const about = 'entries over HTTP';

export async function measure(bench) {
  const servers = await startServers(bench);
  const format = {unit: 'events/s', reference: OURS, ...bench.turns};
  const single = await compare({
    title: `One event a POST, ${CONNECTIONS} connections`,
    contestants: servers.map((peer) => posting(bench, peer, 1)),
    ...format,
  });
  const batches = await compare({
    title: `NDJSON batches of ${BATCH}, ${CONNECTIONS} connections`,
    contestants: [...servers.map((peer) => posting(bench, peer, BATCH)), bulk(bench)],
    ...format,
  });
  return {tables: [single, batches], goals: goals(single, batches)};
}

/** wrk against one of the servers; what it says was answered has to be in the stream. */
function posting({server, directory, seconds}, {name, url, body, missing, noBatch}, size) {
  return {
    name,
    missing: missing ?? NO_WRK ?? (size > 1 ? noBatch : undefined),
    async run() {
      const stream = server.newName('posted');
      const file = join(directory, 'body');
      const lines = [...pieces(size, ndjsonLine('flat'))].join('');
      writeFileSync(file, body?.(stream) ?? lines);
      const type = size > 1 ? 'application/x-ndjson' : 'application/json';
      const env = {BODY_FILE: file, CONTENT_TYPE: body === undefined ? type : 'application/x-www-form-urlencoded'};
      const out = join(directory, 'wrk');
      const load = ['wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--timeout', '10s', '-s'];
      await run([...load, join(import.meta.dirname, '../peers/post.lua'), url(stream)], {to: out, env});
      const {requests, microseconds, failed} = JSON.parse(readLastLine(out));
      if (requests === 0 || failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
      // At the end of a run, up to one request a connection was added and its answer not waited for.
      await settled(server, stream);
      await server.expectCount(stream, requests * size, (requests + CONNECTIONS) * size);
      const [[, words]] = await server.redis.xrange(stream, '-', '+', 'COUNT', 1);
      expectFields(words, SHAPES.flat(0));
      await server.redis.unlink(stream);
      return (requests * size * 1e6) / microseconds;
    },
  };
}

/** Until the last requests, which nobody waits for any more, have arrived. */
async function settled({redis}, stream) {
  for (let before = -1, now = 0; before !== now; ) {
    before = now;
    await sleep(100);
    now = await redis.xlen(stream);
  }
}

function bulk({server, streamlog, directory, events}) {
  const from = writeLines(join(directory, 'bulk.ndjson'), events, ndjsonLine('flat'));
  return {
    name: BULK,
    async run() {
      const stream = server.newName('posted');
      const env = {STREAMLOG_URL: server.url};
      const {ms} = await run([streamlog, 'produce', '-q', '-s', stream], {from, env});
      await server.expectEvents(stream, 'flat', events);
      await server.redis.unlink(stream);
      return (events / ms) * 1_000;
    },
  };
}

function goals(single, batches) {
  const work = 'serve, one event a POST';
  const times = (table, other) => ratio(table, OURS, other);
  return [
    goal({work, against: '× webdis', value: times(single, 'webdis'), least: 0.9, towards: 1.2}),
    goal({work, against: '× FastAPI', value: times(single, 'FastAPI + uvicorn + redis-py'), least: 10}),
    goal({
      work: 'serve, NDJSON batches',
      against: '× bulk produce',
      value: times(batches, BULK),
      least: 0.5,
      towards: 0.8,
    }),
  ];
}
