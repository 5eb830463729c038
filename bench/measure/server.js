// A Redis server of the benchmark's own, on a free port of the loopback address
// and without any persistence; the same for every peer. And what the benchmark
// itself asks of it, before and after a measured run.
import {once} from 'node:events';
import {createServer} from 'node:net';
import {Redis} from 'ioredis';
import {listening} from './children.js';
import {encode, fieldsOf, filledId, pieces, SHAPES, xadd} from './inputs.js';
import {sendAll} from './raw.js';

/** A port nobody listens on now. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const {port} = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export class Server {
  static async start(program, directory) {
    const port = await freePort();
    const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    await listening([program, ...options.map(String)], port);
    return new Server(port);
  }

  #names = 0;

  constructor(port) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.redis = new Redis(this.url);
  }

  /** A name that no stream or group has had yet. */
  newName(kind) {
    return `${kind}${this.#names++}`;
  }

  /** Makes a stream of `count` entries with the IDs of `filledId`. */
  async fill(stream, shape, count) {
    await sendAll(this.port, pieces(count, xadd(stream, shape, filledId)));
    await this.expectCount(stream, count);
  }

  /** What `work` comes to on a new stream of `count` entries, which is removed afterwards. */
  async withFilled(shape, count, work) {
    const stream = this.newName('filled');
    await this.fill(stream, shape, count);
    const result = await work(stream);
    await this.redis.unlink(stream);
    return result;
  }

  /** Has a new group of the stream and one consumer read everything and acknowledge nothing. */
  async makePending(stream, group, count) {
    await this.redis.xgroup('CREATE', stream, group, '0');
    const read = encode(['XREADGROUP', 'GROUP', group, 'w1', 'COUNT', '1000', 'STREAMS', stream, '>']);
    await sendAll(
      this.port,
      pieces(count, () => read, 1_000),
    );
    await this.expectPending(stream, group, count);
  }

  async expectCount(stream, count, most = count) {
    const found = await this.redis.xlen(stream);
    if (found < count || found > most) throw new Error(`${found} entries in ${stream}, where ${count} belong`);
  }

  async expectPending(stream, group, count) {
    const [found] = await this.redis.xpending(stream, group);
    if (found !== count) throw new Error(`${found} entries of ${stream} are pending with ${group}, and not ${count}`);
  }

  /** The group has read the whole stream and acknowledged all of it. */
  async expectConsumed(stream, group) {
    await this.expectPending(stream, group, 0);
    const last = await this.redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    const groups = await this.redis.xinfo('GROUPS', stream);
    const info = groups.find((words) => words.includes(group)) ?? [];
    const read = info[info.indexOf('last-delivered-id') + 1];
    if (read !== last[0]?.[0]) throw new Error(`${group} has read up to ${read} of ${stream}, and not to its end`);
  }

  /** All of the events of a shape are there: their number, and the first and the last as they were sent. */
  async expectEvents(stream, shape, count) {
    await this.expectCount(stream, count);
    const [first] = await this.redis.xrange(stream, '-', '+', 'COUNT', 1);
    const [last] = await this.redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    expectFields(first[1], SHAPES[shape](0));
    expectFields(last[1], SHAPES[shape](count - 1));
  }

  stop() {
    this.redis.disconnect();
  }
}

/** @throws when the words of an entry are not the fields of the event */
export function expectFields(words, event) {
  const expected = JSON.stringify(fieldsOf(event).flat());
  if (JSON.stringify(words) !== expected) throw new Error(`an entry is ${JSON.stringify(words)}, and not ${expected}`);
}
