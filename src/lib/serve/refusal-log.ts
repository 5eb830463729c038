/**
 * Counts refusals by code, and reports the start and the end of those that an
 * operator can act on. Invariant: every refusal is counted, and an episode of
 * refusals for one reason is reported twice, however many there are.
 */
import type {ConnectionEnd} from './connections.js';
import {REFUSALS, type RefusalCode} from './responses.js';

/** An episode ends when nothing is refused for this long. */
const QUIET_MS = 10_000;
/** An XADD that succeeds within this time after a refusal may have gone to another node of a cluster. */
const SETTLED_MS = 1_000;
const CHECK_MS = 1_000;

/** The codes that are reported, with the text for their start. */
const REPORTED: Partial<Record<RefusalCode | ConnectionEnd, string>> = {
  overloaded:
    'requests are refused (overloaded): --max-inflight, the memory for bodies, or the share of one client is used up',
  too_many_readers: 'readers are refused (too_many_readers): --max-readers, or the share of one client, is used up',
  too_many_connections: 'connections are closed (too_many_connections): there are more than the limit',
  too_many_pipelined: 'connections are closed (too_many_pipelined): a client sends too many requests without waiting',
  unread_answers: 'connections are closed (unread_answers): clients do not read their answers',
};

interface Episode {
  readonly startMs: number;
  lastMs: number;
  count: number;
}

export interface RefusalNotes {
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
}

export class RefusalLog {
  readonly #notes: RefusalNotes;
  readonly #counts = new Map<string, number>();
  readonly #episodes = new Map<string, Episode>();
  /** The error code of the episode of Redis, such as OOM. */
  #redisWord: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(notes: RefusalNotes) {
    this.#notes = notes;
  }

  /** Counts a refusal by the code of an answer, or a connection that was closed. */
  count(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const text = REPORTED[code as RefusalCode];
    if (text !== undefined) this.#extend(code, text);
  }

  /** Redis refused an XADD with the error code `word`; `reason` says what can be done. */
  redisRefused(word: string, reason: string): void {
    if (this.#redisWord !== word) {
      this.#end(`redis ${this.#redisWord}`, `Redis no longer refuses with ${this.#redisWord}`);
      this.#redisWord = word;
    }
    this.#extend(`redis ${word}`, `Redis refuses entries (${word}): ${reason}`);
  }

  /** Redis accepted an XADD. */
  redisTook(): void {
    if (this.#redisWord === undefined) return;
    const key = `redis ${this.#redisWord}`;
    const episode = this.#episodes.get(key);
    if (episode === undefined || performance.now() - episode.lastMs < SETTLED_MS) return;
    this.#end(key, `Redis accepts entries again (after ${this.#redisWord})`);
    this.#redisWord = undefined;
  }

  /** The error code with which Redis refuses now, as far as is known. */
  get redisWord(): string | undefined {
    return this.#redisWord;
  }

  /** How many refusals there were of each code. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Stops the timer. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #extend(key: string, text: string): void {
    const nowMs = performance.now();
    const episode = this.#episodes.get(key);
    if (episode !== undefined) {
      episode.count++;
      episode.lastMs = nowMs;
      return;
    }
    this.#episodes.set(key, {startMs: nowMs, lastMs: nowMs, count: 1});
    this.#notes.warn(text);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
  }

  #end(key: string, text: string): void {
    const episode = this.#episodes.get(key);
    if (episode === undefined) return;
    this.#episodes.delete(key);
    const seconds = Math.round((episode.lastMs - episode.startMs) / 1_000);
    this.#notes.note(`${text}: ${episode.count} were refused in ${seconds}s`);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const [key, {lastMs}] of this.#episodes) {
      if (nowMs - lastMs < QUIET_MS) continue;
      if (key === `redis ${this.#redisWord}`) this.#redisWord = undefined;
      this.#end(key, `no refusals (${key}) for ${QUIET_MS / 1_000}s`);
    }
    if (this.#episodes.size === 0) this.close();
  }
}

/** All codes that are counted, so that each series exists from the start. */
export const REFUSAL_CODES: readonly string[] = [
  ...Object.keys(REFUSALS),
  'too_many_connections',
  'too_many_pipelined',
  'unread_answers',
];
