/** A file of numbered lines, and what became of them in a stream. */
import {closeSync, openSync, writeSync} from 'node:fs';
import type {RedisServer} from '../support/redis-server.js';

const AT_ONCE = 10_000;

/** Lines with the numbers from 0 to before `count`. */
export function writeNumbered(path: string, count: number): void {
  const file = openSync(path, 'w');
  for (let start = 0; start < count; start += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - start);
    writeSync(file, Array.from({length}, (_, index) => `{"n":${start + index},"what":"numbered"}\n`).join(''));
  }
  closeSync(file);
}

export interface Numbers {
  entries: number;
  /** Of those that were to come, how many never did. */
  missing: number;
  /** More entries than numbers. */
  twice: number;
  /** Entries whose number is not above all before, and which are not there twice. */
  outOfOrder: number;
}

/** What the entries of `stream` say, which is to have the numbers from 0 to before `count`. */
export async function readNumbers({redis}: RedisServer, stream: string, count: number): Promise<Numbers> {
  const seen = new Uint8Array(count);
  const found = {entries: 0, missing: 0, twice: 0, outOfOrder: 0};
  let highest = -1;
  for (let start = '-'; ; ) {
    const page = await redis.xrange(stream, start, '+', 'COUNT', AT_ONCE);
    if (page.length === 0) break;
    for (const [, [, text]] of page) {
      const number = Number(text);
      found.entries++;
      if (seen[number] === 1) found.twice++;
      else if (number < highest) found.outOfOrder++;
      seen[number] = 1;
      highest = Math.max(highest, number);
    }
    start = `(${page.at(-1)![0]}`;
  }
  found.missing = seen.reduce((sum, is) => sum + (is === 1 ? 0 : 1), 0);
  return found;
}
