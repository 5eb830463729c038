/**
 * What is pending in one group, in the order of delivery: from 8.4 on, Redis looks for the place of each one that is older
 * than others, entry by entry (redis/redis#14402). Invariant: 40 bytes are kept of each, whatever the names.
 */
import {ByteBuilder} from '../byte-builder.js';
import type {PendingState} from '../stream-client.js';

const SEQUENCE_AT = 8;
const TIME_AT = 16;
const DELIVERIES_AT = 24;
const CONSUMER_AT = 32;
const ONE_BYTES = 40;

/** Entries that have become pending in one state with one consumer. */
export interface Claim {
  readonly consumer: string;
  readonly state: PendingState;
  readonly ids: string[];
}

export class PendingClaims extends ByteBuilder {
  readonly #consumers = new Map<string, number>();

  constructor() {
    super(ONE_BYTES * 64);
  }

  /** In the order of their IDs. */
  add(id: string, consumer: string, {deliveredAt, deliveries}: PendingState): void {
    const dash = id.indexOf('-');
    const known = this.#consumers.get(consumer) ?? this.#consumers.size;
    if (known === this.#consumers.size) this.#consumers.set(consumer, known);
    this.reserve(ONE_BYTES);
    const {bytes, length} = this;
    bytes.writeBigUInt64BE(BigInt(id.slice(0, dash)), length);
    bytes.writeBigUInt64BE(BigInt(id.slice(dash + 1)), length + SEQUENCE_AT);
    bytes.writeDoubleBE(deliveredAt, length + TIME_AT);
    bytes.writeBigInt64BE(BigInt(deliveries), length + DELIVERIES_AT);
    bytes.writeUInt32BE(known, length + CONSUMER_AT);
    this.length += ONE_BYTES;
  }

  /** From the one that was delivered first to the one that was delivered last; at most `most` in one claim. */
  *inOrder(most: number): Generator<Claim, void, void> {
    const consumers = [...this.#consumers.keys()];
    let claim: Claim | undefined;
    for (const index of this.#byTime()) {
      const at = index * ONE_BYTES;
      const id = `${this.bytes.readBigUInt64BE(at)}-${this.bytes.readBigUInt64BE(at + SEQUENCE_AT)}`;
      const deliveredAt = this.bytes.readDoubleBE(at + TIME_AT);
      const deliveries = this.bytes.readBigInt64BE(at + DELIVERIES_AT);
      const consumer = consumers[this.bytes.readUInt32BE(at + CONSUMER_AT)]!;
      const isSame =
        claim?.consumer === consumer &&
        claim.state.deliveredAt === deliveredAt &&
        claim.state.deliveries === deliveries &&
        claim.ids.length < most;
      if (isSame) {
        claim!.ids.push(id);
        continue;
      }
      if (claim !== undefined) yield claim;
      claim = {consumer, state: {deliveredAt, deliveries}, ids: [id]};
    }
    if (claim !== undefined) yield claim;
  }

  #byTime(): Uint32Array {
    const count = this.length / ONE_BYTES;
    const times = Float64Array.from({length: count}, (_, index) =>
      this.bytes.readDoubleBE(index * ONE_BYTES + TIME_AT),
    );
    return Uint32Array.from({length: count}, (_, index) => index).sort((a, b) => times[a]! - times[b]! || a - b);
  }
}
