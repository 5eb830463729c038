/**
 * Streams as years of use leave them: entries that were deleted and trimmed, pending ones without a payload, groups that were moved
 * back and ahead, counts and IDs at the limits of Redis, names that are not UTF-8.
 */
import type {Redis} from 'ioredis';
import type {SeededRandom} from './seeded-random.js';

const MAX = 2n ** 64n - 1n;
const MAX_COUNT = String(2n ** 63n - 1n);

const NAMES = [
  Buffer.from('billing'),
  Buffer.from([0xff, 0x00, 0x0a, 0x80]),
  Buffer.from('__proto__'),
  Buffer.from('{"$b64":"aGk="}'),
  Buffer.from('\u{1f642} "\\\n\u202e'),
];
const CONSUMERS = [Buffer.from('w1'), Buffer.from([0xc3, 0x28]), Buffer.from('w 3'), Buffer.from('\ufeffw')];
const VALUES = [
  Buffer.from('1'),
  Buffer.alloc(0),
  Buffer.from([0xfe, 0xff, 0x00]),
  Buffer.from('{"a":[1]}'),
  Buffer.from('x'.repeat(300)),
];

type Id = readonly [ms: bigint, sequence: bigint];
const textOf = ([ms, sequence]: Id): string => `${ms}-${sequence}`;

export class RandomStream {
  readonly key: Buffer;
  readonly #redis: Redis;
  readonly #random: SeededRandom;
  #last: Id;
  readonly #ids: string[] = [];

  constructor(redis: Redis, key: Buffer, random: SeededRandom) {
    this.key = key;
    this.#redis = redis;
    this.#random = random;
    this.#last = random.pick<Id>([
      [0n, 0n],
      [5n, 7n],
      [1_795_414_686_144n, 0n],
      [MAX - 40n, MAX - 3n],
      [2n ** 53n, 2n ** 53n],
    ]);
  }

  /** `steps` random commands; those that Redis refuses count too. The stream exists afterwards. */
  async build(steps: number): Promise<this> {
    await this.#try('XGROUP', 'CREATE', this.key, NAMES[0]!, this.#random.pick(['0', '$']), 'MKSTREAM');
    for (let step = 0; step < steps; step++) await this.#step();
    if (this.#random.oneIn(3)) await this.#setLast();
    return this;
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const group = random.pick(NAMES);
    const consumer = random.pick(CONSUMERS);
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#add();
      case 5:
        return this.#try('XDEL', this.key, ...this.#someIds(2));
      case 6:
        if (!random.oneIn(3)) return this.#add();
        return random.oneIn(2)
          ? this.#try('XTRIM', this.key, 'MAXLEN', '=', String(random.below(6)))
          : this.#try('XTRIM', this.key, 'MINID', '=', this.#someId());
      case 7:
        return this.#try('XGROUP', 'CREATE', this.key, group, random.pick(['0', '$', this.#someId(), this.#someId()]));
      case 8:
        return this.#try('XGROUP', 'CREATECONSUMER', this.key, group, consumer);
      case 9:
      case 10:
        return this.#try(
          'XREADGROUP',
          'GROUP',
          group,
          consumer,
          'COUNT',
          String(1 + random.below(6)),
          'STREAMS',
          this.key,
          '>',
        );
      case 11:
        return this.#try('XACK', this.key, group, ...this.#someIds(3));
      case 12:
        return this.#claim(group, consumer);
      default:
        return this.#move(group);
    }
  }

  async #add(): Promise<void> {
    const random = this.#random;
    for (let count = 1 + random.below(4); count > 0; count--) {
      const [ms, sequence] = this.#last;
      const jump = BigInt(random.pick([0, 0, 0, 1, 30]));
      const next: Id = jump > 0n && ms + jump <= MAX ? [ms + jump, BigInt(random.below(3))] : [ms, sequence + 1n];
      if (next[1] > MAX) return;
      this.#last = next;
      const fields = Array.from({length: 1 + random.below(3)}, () => [random.pick(NAMES), random.pick(VALUES)]).flat();
      await this.#try('XADD', this.key, textOf(next), ...fields);
      this.#ids.push(textOf(next));
    }
  }

  #claim(group: Buffer, consumer: Buffer): Promise<void> {
    const random = this.#random;
    const count = random.pick(['1', '3', String(2n ** 53n + 1n), MAX_COUNT]);
    const time = random.pick(['0', '1000', String(Date.now() - 5_000)]);
    const force = random.oneIn(2) ? ['FORCE'] : [];
    return this.#try(
      'XCLAIM',
      this.key,
      group,
      consumer,
      '0',
      this.#someId(),
      'TIME',
      time,
      'RETRYCOUNT',
      count,
      ...force,
      'JUSTID',
    );
  }

  #move(group: Buffer): Promise<void> {
    const random = this.#random;
    const to = random.pick(['0', '$', this.#someId(), textOf([this.#last[0], MAX])]);
    const read = random.oneIn(2) ? ['ENTRIESREAD', random.pick(['0', '7', MAX_COUNT])] : [];
    return this.#try('XGROUP', 'SETID', this.key, group, to, ...read);
  }

  #setLast(): Promise<void> {
    const random = this.#random;
    const last = random.pick([textOf(this.#last), textOf([MAX, MAX]), this.#someId()]);
    const added = random.pick(['1000', String(2n ** 53n + 1n), MAX_COUNT]);
    return this.#try(
      'XSETID',
      this.key,
      last,
      'ENTRIESADDED',
      added,
      'MAXDELETEDID',
      random.pick(['0-0', this.#someId()]),
    );
  }

  #someId(): string {
    return this.#ids.length === 0 ? '1-1' : this.#random.pick(this.#ids);
  }

  #someIds(count: number): string[] {
    return Array.from({length: count}, () => this.#someId());
  }

  /** Redis refuses much of what is random. */
  async #try(command: string, ...args: (string | Buffer)[]): Promise<void> {
    await this.#redis.callBuffer(command, ...args).catch(() => {});
  }
}
