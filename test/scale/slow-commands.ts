/**
 * Which commands hold a server up for too long. SLOWLOG measures time, not
 * work, and on a busy machine any command may be interrupted for some
 * milliseconds; but not the same one each time. So a command counts as slow
 * when it was slow in each of several runs of the same work on the same data, and
 * the limit grows on a machine where even a small command takes long.
 */
import type {RedisServer} from '../support/redis-server.js';

/** No command of ours may hold Redis longer. */
const LIMIT_MS = 5;
const RUNS = 6;
/** A page of 1,000 pending entries takes 0.3 ms on the machine on which the limit was chosen. */
const LIMIT_IN_PAGES = 15;
/** Interruptions hit few of many like commands, and the wrong way to ask makes many of them slow. */
const LEAST_SHARE = 0.1;

interface Logged {
  words: string[];
  us: number;
}

export class SlowCommands {
  readonly #server: RedisServer;
  #limitUs = LIMIT_MS * 1_000;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  /** Adjusts the limit to the machine; there must be a stream `big` with a group `streamlog`. */
  async calibrate(): Promise<void> {
    const logged = await this.#during(0, async () => {
      for (let n = 0; n < 20; n++) await this.#server.redis.xpending('big', 'streamlog', '-', '+', 1_000);
    });
    const pages = logged.filter(({words}) => words[0] === 'xpending').map(({us}) => us);
    this.#limitUs = Math.max(this.#limitUs, LIMIT_IN_PAGES * Math.min(...pages));
  }

  /**
   * What was slow in every run of `work`, before each of which `prepare` puts
   * the data in place. `allowedMs` says of a command how long it may take.
   */
  async find(
    work: () => Promise<unknown>,
    prepare: (isAgain: boolean) => Promise<unknown>,
    allowedMs: (words: readonly string[]) => number = () => 0,
  ): Promise<string[]> {
    const isSlow = ({words, us}: Logged): boolean => us > Math.max(this.#limitUs, allowedMs(words) * 1_000);
    await prepare(false);
    let suspects = new Set((await this.#during(this.#limitUs, work)).filter(isSlow).map(shapeOf));
    for (let run = 1; run < RUNS && suspects.size > 0; run++) {
      await prepare(true);
      const logged = await this.#during(0, work);
      const share = (shape: string): number => {
        const alike = logged.filter((one) => shapeOf(one) === shape);
        return alike.filter(isSlow).length / Math.max(1, alike.length);
      };
      suspects = new Set([...suspects].filter((shape) => share(shape) >= LEAST_SHARE));
    }
    return [...suspects];
  }

  /** What ran meanwhile and took at least so long. */
  async #during(slowerThanUs: number, work: () => Promise<unknown>): Promise<Logged[]> {
    const {redis} = this.#server;
    await redis.config('SET', 'slowlog-max-len', 100_000);
    await redis.config('SET', 'slowlog-log-slower-than', slowerThanUs);
    await redis.slowlog('RESET');
    await work();
    await redis.config('SET', 'slowlog-log-slower-than', -1);
    const entries = (await redis.slowlog('GET', 100_000)) as [number, number, number, string[]][];
    return entries.map(([, , us, words]) => ({
      us,
      words: words.map((word, at) => (at === 0 ? word.toLowerCase() : word)),
    }));
  }
}

/** A command with its numbers, and with what differs from run to run left out. */
const shapeOf = ({words}: Logged): string =>
  words
    .slice(0, 14)
    .map((word) => word.replaceAll(/\d{6,}(-\d+)?/g, 'ID').slice(0, 40))
    .join(' ');
