// A steady load on many streams and groups, and an own count of what was added and read: what programs that watch are measured
// against. It sends only XADD, XREADGROUP and XACK, so all other commands of the server are those of the programs.
import {Redis} from 'ioredis';

export const LOAD_COMMANDS = ['xadd', 'xreadgroup', 'xack', 'xgroup|create'];

const TICK_MS = 50;
const TICKS_PER_SECOND = 1_000 / TICK_MS;
/** Streams that get most, and what their groups read of it. Each has `backlog` entries that its group has not read. */
const BUSY = [
  {name: 'busy:level', addedPerSec: 100, readPerSec: 100, backlog: 0},
  {name: 'busy:growing', addedPerSec: 100, readPerSec: 60, backlog: 1_000},
  {name: 'busy:draining', addedPerSec: 100, readPerSec: 300, backlog: 200_000},
  {name: 'busy:slow', addedPerSec: 20, readPerSec: 40, backlog: 50_000},
];
const PIPELINE = 1_000;

export class SteadyLoad {
  #redis;
  #usual;
  #timer;
  #tick = 0;
  #busyTick = false;
  #failure;
  /** By stream: what was added, and what its group was given. */
  counts = new Map(BUSY.map(({name, backlog}) => [name, {added: backlog, read: 0}]));
  /** Once a second: when, and copies of the counts. */
  samples = [];

  /** Makes `streams` streams, of which `groups` have a group. */
  static async start(port, {streams, groups}) {
    const load = new SteadyLoad(port, {streams, groups});
    await load.#fill();
    load.#timer = setInterval(() => load.#run(), TICK_MS);
    return load;
  }

  constructor(port, {streams, groups}) {
    this.#redis = new Redis({port, host: '127.0.0.1'});
    const others = streams - BUSY.length;
    this.#usual = Array.from({length: others}, (_, at) => ({
      name: `usual:${at}`,
      hasGroup: at < groups - BUSY.length,
    }));
  }

  async #fill() {
    for (const {name, backlog} of BUSY) {
      await this.#redis.xgroup('CREATE', name, 'g', '0', 'MKSTREAM');
      for (let left = backlog; left > 0; left -= PIPELINE)
        await this.#send(Array.from({length: Math.min(left, PIPELINE)}, () => add(name)));
    }
    for (let at = 0; at < this.#usual.length; at += PIPELINE) {
      const some = this.#usual.slice(at, at + PIPELINE);
      await this.#send(some.map(({name}) => add(name)));
      await this.#send(some.filter(({hasGroup}) => hasGroup).map(({name}) => ['xgroup', 'CREATE', name, 'g', '$']));
    }
  }

  async #run() {
    // A server that is slower than the load: the counts stay true.
    if (this.#busyTick) return;
    this.#busyTick = true;
    try {
      await this.#once();
    } catch (error) {
      this.#failure ??= error;
    }
    this.#busyTick = false;
  }

  /** Each usual stream gets an entry a second, and each group reads once a second. */
  async #once() {
    const turn = this.#tick++ % TICKS_PER_SECOND;
    const usual = this.#usual.filter((_, at) => at % TICKS_PER_SECOND === turn);
    const adds = BUSY.flatMap(({name, addedPerSec}) => repeated(addedPerSec / TICKS_PER_SECOND, add(name)));
    const usualReads = usual.filter(({hasGroup}) => hasGroup).map(({name}) => ({name, count: 10}));
    const reads = [...BUSY.map(({name, readPerSec}) => ({name, count: readPerSec / TICKS_PER_SECOND})), ...usualReads];
    const lines = [...usual.map(({name}) => add(name)), ...adds, ...reads.map(({name, count}) => read(name, count))];
    const replies = (await this.#send(lines)).slice(-reads.length);
    const acks = reads.flatMap(({name}, at) => {
      const entries = replies[at]?.[0]?.[1] ?? [];
      const counted = this.counts.get(name);
      if (counted !== undefined) counted.read += entries.length;
      return entries.length === 0 ? [] : [['xack', name, 'g', ...entries.map(([id]) => id)]];
    });
    for (const {name, addedPerSec} of BUSY) this.counts.get(name).added += addedPerSec / TICKS_PER_SECOND;
    if (acks.length > 0) await this.#send(acks);
    if (turn === 0) this.samples.push({atMs: Date.now(), counts: structuredClone(this.counts)});
  }

  async #send(lines) {
    const replies = await this.#redis.pipeline(lines).exec();
    const failed = replies.find(([error]) => error !== null);
    if (failed !== undefined) throw failed[0];
    return replies.map(([, reply]) => reply);
  }

  /** Of the busy streams over the last `seconds`, by their own count: rates, what their groups have not read, and how long that takes. */
  figures(seconds) {
    if (this.#failure !== undefined) throw this.#failure;
    const last = this.samples.at(-1);
    const first = this.samples.findLast(({atMs}) => atMs <= last.atMs - seconds * 1_000) ?? this.samples[0];
    const elapsed = (last.atMs - first.atMs) / 1_000;
    return BUSY.map(({name}) => {
      const [before, now] = [first.counts.get(name), last.counts.get(name)];
      const addedPerSec = (now.added - before.added) / elapsed;
      const deliveredPerSec = (now.read - before.read) / elapsed;
      const lag = now.added - now.read;
      const faster = deliveredPerSec - addedPerSec;
      return {
        name,
        addedPerSec,
        deliveredPerSec,
        lag,
        drainMs: faster > 1 && lag > 1_000 ? (lag / faster) * 1_000 : null,
      };
    });
  }

  stop() {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }
}

const add = (name) => ['xadd', name, '*', 'type', 'paid', 'order', '1234567', 'payload', 'x'.repeat(64)];
const read = (name, count) => ['xreadgroup', 'GROUP', 'g', 'w1', 'COUNT', count, 'STREAMS', name, '>'];
const repeated = (count, line) => Array.from({length: count}, () => line);
