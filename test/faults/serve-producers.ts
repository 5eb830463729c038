/**
 * Clients of `streamlog serve` that write down what they were told: each sends
 * one request after another, none of them twice, and waits for each answer.
 * Invariant: a value was attempted before it was sent, and every answer was one that serve knows.
 */
import {expect} from 'vitest';
import type {Served} from '../support/http.js';
import type {RedisServer} from '../support/redis-server.js';
import {collect} from './support/collect.js';
import {type HistoryEvent, judge} from './support/history.js';
import {explain, isSound} from './support/verdict.js';

export const STREAM = 'events';

interface Told {
  id?: string;
  ids?: string[];
  results?: {id?: string; error?: {code: string}}[];
  error?: {code: string};
}

export class Producers {
  readonly #served: Served;
  readonly #events: HistoryEvent[] = [];
  /** Values of which it was said that they were not added. */
  readonly #refused: string[] = [];
  /** How often each `error.code` came; `201` counts what came without one. */
  readonly reported = new Map<string, number>();
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(served: Served) {
    this.#served = served;
  }

  /** Lets `count` of them send until `stop`, each request with the number of records that `records` says. */
  start(count: number, records: (turn: number) => number = () => 1): void {
    const producers = Array.from({length: count}, async (_, by) => {
      for (let turn = 0; !this.#stopped; turn++) await this.send(`p${by}`, turn, records(turn));
    });
    this.#running = Promise.all(producers);
    this.#running.catch(() => {});
  }

  /** Resolves when every request is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** One request; one record alone, several as a batch. Returns the status. */
  async send(by: string, turn: number, count = 1): Promise<number> {
    const values = Array.from({length: count}, (_, index) => `${by}-${turn}-${index}`);
    for (const value of values) this.#events.push({what: 'attempted', value, by});
    const records = values.map((value) => ({value}));
    const response = await this.#served.post(`/streams/${STREAM}`, JSON.stringify(count === 1 ? records[0] : records));
    const reported = (await response.json()) as Told;
    const results =
      reported.results ?? values.map((_, at) => ({id: reported.id ?? reported.ids?.[at], error: reported.error}));
    results.forEach(({id, error}, at) => {
      const value = values[at]!;
      if (id !== undefined) this.#events.push({what: 'confirmed', value, id});
      else if (error?.code !== 'unknown_outcome') this.#refused.push(value);
    });
    const code = reported.error?.code ?? '201';
    this.reported.set(code, (this.reported.get(code) ?? 0) + 1);
    return response.status;
  }

  /** Holds what they were told against what Redis has: nothing lost, refused and added, or twice, and all in order. */
  async expectSound({redis}: RedisServer): Promise<void> {
    const ending = await collect(redis, STREAM);
    const verdict = judge(this.#events, ending);
    const about = `${explain(verdict)}\n${[...this.reported].join('\n')}\n${this.#served.stderr()}`;
    expect(isSound(verdict), about).toBe(true);
    expect(verdict.duplicatedInStream, about).toEqual([]);
    const refused = new Set(this.#refused);
    expect(
      ending.stream.filter(({value}) => refused.has(value)),
      about,
    ).toEqual([]);
  }
}
