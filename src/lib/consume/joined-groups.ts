/** What is said about the group that `consume` reads: what was made for it, and a start that an existing group ignores. */
import {seekCommand} from '../groups/group-position.js';
import type {Notes} from '../output/notes.js';
import {meantStream} from '../reading/known-names.js';
import type {Position} from '../records/position.js';
import {FIRST_ID} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import type {Joined} from './group-membership.js';

export class JoinedGroups {
  readonly #notes: Notes;
  readonly #from: Position;
  readonly #typedFrom: string | undefined;

  /** `typedFrom` is the text of `from`, unless that is a default. */
  constructor(notes: Notes, from: Position, typedFrom: string | undefined) {
    this.#notes = notes;
    this.#from = from;
    this.#typedFrom = typedFrom;
  }

  /** A consumer has joined its group; `control` is asked for names that are near that of a stream that was made. */
  async joined(joined: Joined, control: StreamClient): Promise<void> {
    if (!this.#notes.isShown) return;
    const {member, made} = joined;
    const {stream, group} = member;
    if (made === 'stream and group') {
      this.#notes.status(`created stream ${stream} and group ${group}${await meantStream(control, stream)}`);
    } else if (made === 'group') {
      this.#notes.status(`created group ${group} on ${stream}, ${describeStart(this.#from)}`);
    } else if (this.#typedFrom !== undefined) this.#notes.status(describeIgnored(joined, this.#typedFrom));
  }
}

const describeIgnored = ({member: {stream, group}, lastDeliveredId}: Joined, typedFrom: string): string =>
  `group ${group} exists and continues${lastDeliveredId === undefined ? '' : ` after ${lastDeliveredId}`}; to move it: ` +
  seekCommand(group, stream, typedFrom);

function describeStart(from: Position): string {
  switch (from.kind) {
    case 'id':
      return from.id === FIRST_ID ? 'from the start' : `from ${from.id}`;
    case 'time':
      return `from ${new Date(from.ms).toISOString()}`;
    case 'last':
      return `from the last ${from.count}`;
    case 'end':
      return 'for new entries';
  }
}
