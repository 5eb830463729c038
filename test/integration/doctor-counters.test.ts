/** What `doctor` says of the counters of groups, against a model of what was added, read and removed. */
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Commands} from '../../src/lib/doctor/commands.js';
import {Examination} from '../../src/lib/doctor/examination.js';
import type {Sighting} from '../../src/lib/doctor/finding.js';
import {GROUP_CHECKS} from '../../src/lib/doctor/group-checks.js';
import {Collector} from '../../src/lib/observe/collector.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

type Step = {op: 'add' | 'read' | 'delete' | 'trim'; number: number};

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom('add', 'add', 'read', 'delete', 'trim'),
  number: fc.nat(1_000),
});

/** A stream with one group, and what is true of it. */
class Model {
  readonly present: string[] = [];
  readonly delivered = new Set<string>();
  lastDelivered = '';
  trimmedUnread = 0;
  #nextMs = Date.now() - 100_000;

  add(): string {
    const id = `${this.#nextMs++}-0`;
    this.present.push(id);
    return id;
  }

  /** The one at `index`. */
  delete(index: number): string {
    return this.present.splice(index, 1)[0]!;
  }

  /** All but the newest `kept`. */
  trim(kept: number): void {
    const gone = this.present.splice(0, this.present.length - kept);
    this.trimmedUnread += gone.filter((id) => !this.delivered.has(id)).length;
  }

  get lag(): number {
    return this.present.filter((id) => id > this.lastDelivered).length;
  }
}

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;
  beforeAll(async () => {
    client = await StreamClient.connect({url: server.url, source: 'test', connectTimeoutMs: 4_000});
  });
  afterAll(() => client?.close());

  const take = async (model: Model, {op, number}: Step): Promise<void> => {
    const {redis} = server;
    const {present} = model;
    if (op === 'add') await redis.xadd('orders', model.add(), 'n', '1');
    else if (op === 'read') {
      const reply = await redis.xreadgroup(
        'GROUP',
        'billing',
        'w1',
        'COUNT',
        1 + (number % 3),
        'STREAMS',
        'orders',
        '>',
      );
      const entries = reply?.[0]?.[1] ?? [];
      for (const [id] of entries) {
        model.delivered.add(id);
        model.lastDelivered = id;
      }
      if (entries.length > 0) await redis.xack('orders', 'billing', ...entries.map(([id]) => id));
    } else if (op === 'delete' && present.length > 0) await redis.xdel('orders', model.delete(number % present.length));
    else if (op === 'trim') {
      const kept = number % (present.length + 1);
      model.trim(kept);
      await redis.xtrim('orders', 'MAXLEN', kept);
    }
  };

  const look = async (): Promise<Sighting[]> => {
    const snapshot = await new Collector({everyMs: 1_000, streams: ['orders']}).readAll(client);
    const words = {streamlog: [], redisCli: {environment: [], flags: [], urlVariable: undefined}, lacksPassword: false};
    const commands = new Commands(words, client.server);
    const stopping = new AbortController().signal;
    const options = {commands, isDeep: false, withPayload: false, stopping, onProgress: () => {}};
    const examination = new Examination(client, options, snapshot);
    const [stream] = snapshot.streams;
    const [group] = stream!.groups!;
    const subject = {stream: stream!, before: stream, group: group!, groupBefore: group};
    const found = await Promise.all(GROUP_CHECKS.map(async (check) => check.run(subject, examination)));
    return found.flat();
  };

  it('nothing is said that is not so, whatever was added, read, deleted and trimmed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, {minLength: 5, maxLength: 25}), async (steps) => {
        await server.redis.flushall();
        await server.redis.xgroup('CREATE', 'orders', 'billing', '0', 'MKSTREAM');
        const model = new Model();
        for (const one of steps) {
          await take(model, one);
          for (const {id, seen} of await look()) {
            // There is something to read, and nothing reads it.
            if (id === 'D04') expect(model.lag).toBeGreaterThan(0);
            else if (id === 'D12') expect(seen.lagOfRedis).not.toBe(model.lag);
            else {
              expect(id).toBe('D13');
              expect(seen.trimmedUnread).toBeLessThanOrEqual(model.trimmedUnread);
            }
          }
        }
      }),
      {numRuns: 40},
    );
  });
});
