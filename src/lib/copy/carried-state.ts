/** What is carried over beside entries, now and then: where groups stand (--groups), and what was trimmed (--trim). */
import {findInfo} from '../reading/locate.js';
import type {RunOn} from '../reconnecting-client.js';
import {earlierId} from '../records/stream-id.js';
import {removeOldest} from '../trimming/removal.js';
import type {CopyNames} from './copy-failures.js';
import {GroupPositions} from './group-positions.js';

export interface CarriedStateOptions {
  names: CopyNames;
  source: RunOn;
  target: RunOn;
  groups: boolean;
  trim: boolean;
  /** The group that holds the source. */
  hold: string | undefined;
  onProblem: (line: string) => void;
}

const EVERY_MS = 5_000;

export class CarriedState {
  readonly #options: CarriedStateOptions;
  readonly #groups: GroupPositions | undefined;
  #atMs = performance.now();

  constructor(options: CarriedStateOptions) {
    this.#options = options;
    this.#groups = options.groups ? new GroupPositions(options) : undefined;
  }

  /** The same as `carry` when it is due. */
  async carryWhenDue(copied: string): Promise<void> {
    if (performance.now() - this.#atMs >= EVERY_MS) await this.carry(copied);
  }

  /** Everything up to `copied` is there. */
  async carry(copied: string): Promise<void> {
    this.#atMs = performance.now();
    await this.#groups?.carry(copied);
    if (this.#options.trim) await this.#trim(copied);
  }

  async #trim(copied: string): Promise<void> {
    const {names, source, target} = this.#options;
    const info = await source((client) => findInfo(client, names.source));
    if (info === undefined) return;
    // The last entry stays: it shows that the target is a copy.
    const minId = earlierId(info.firstEntry?.id ?? info.lastGeneratedId, copied);
    const removal = {goal: {kind: 'minId', minId}, approximate: false} as const;
    await target((client) => removeOldest(client, names.target, 0, removal));
  }
}
