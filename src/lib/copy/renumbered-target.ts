/**
 * A copy of a stream under IDs of its own. A key beside it has the ID of the source up to which it is a copy, and moves with the entries
 * in one transaction, which WATCHes it (redis.io/docs/latest/develop/using-commands/transactions). Invariant: each entry is added
 * once, whatever is lost or killed, and whoever copies the same source at the same time.
 */
import {colocatedKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {COPY_WORDS, type CopyNames} from './copy-failures.js';
import type {CopyTarget} from './copy-target.js';
import {batchOf, type EntryBatch} from './entry-batch.js';

export interface RenumberedOptions {
  names: CopyNames;
  redis: ReconnectingClient;
  /** What the server of the source is called: another name is another source. */
  sourceServer: string;
  onProblem: (line: string) => void;
}

const HOW = {options: {}, newIds: true} as const;

export class RenumberedTarget implements CopyTarget {
  readonly names: CopyNames;
  readonly words = COPY_WORDS;
  readonly keepsIds = false;
  readonly #redis: ReconnectingClient;
  readonly #onProblem: (line: string) => void;
  readonly #key: string;
  #found: string | undefined;
  /** What the key says; undefined where there is none. */
  #at: string | undefined;

  constructor({names, redis, sourceServer, onProblem}: RenumberedOptions) {
    this.names = names;
    this.#redis = redis;
    this.#onProblem = onProblem;
    this.#key = colocatedKey('copy', names.target, sourceServer, names.source);
  }

  get confirmed(): string {
    return this.#at ?? FIRST_ID;
  }

  async look(): Promise<string> {
    // A key of another type is refused before anything is added.
    await this.#redis.run(({commands}) => commands.length(this.names.target));
    this.#found = await this.#redis.run(({commands}) => commands.transfer.copiedUpTo(this.#key));
    const lastId = this.#found ?? FIRST_ID;
    if (compareStreamIds(lastId, this.confirmed) < 0)
      this.#onProblem(
        `target stream "${this.names.target}" lacks what was copied after ${lastId}, as after a failover; copying it again`,
      );
    return lastId;
  }

  begin(): void {
    this.#at = this.#found;
  }

  async add(records: readonly StreamRecord[]): Promise<boolean> {
    for (let at = 0; at < records.length; ) {
      const batch = batchOf(this.names.target, records, at, HOW);
      if (!(await this.#send(batch))) return false;
      at += batch.records.length;
    }
    return true;
  }

  async check(): Promise<boolean> {
    return true;
  }

  async #send({records, adds}: EntryBatch): Promise<boolean> {
    const to = records.at(-1)!.id;
    const checkpoint = {key: this.#key, from: this.#at, to};
    const results = await this.#redis.attempt(({commands}) =>
      commands.addAll(this.names.target, adds, {together: true, checkpoint}),
    );
    if (results === undefined) return false;
    for (const result of results) if (result instanceof StreamlogError) throw result;
    this.#at = to;
    return true;
  }
}
