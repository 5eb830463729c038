/**
 * Encodes records as XADDs, into one piece of bytes, and notes where each
 * command ends. Invariant: the commands of a batch are in the order of its
 * records, one each, and a part of a batch is the same bytes again.
 */
import type {Field} from '../records/entry.js';
import {encodeName} from '../records/names.js';
import {countOf, type EntryFields, isRaw} from '../records/raw-fields.js';
import {type AddOptions, type AddRequest, addClause} from './args.js';
import {RespWriter} from './resp-writer.js';

/** XADDs, ready to be sent. */
export class AddBatch {
  readonly bytes: Buffer;
  /** Whether Redis may answer nil, for lack of a stream: one of them was NOMKSTREAM. */
  readonly mayLackStream: boolean;
  /** Where the command of each record ends. */
  readonly #ends: readonly number[];

  constructor(bytes: Buffer, ends: readonly number[], mayLackStream: boolean) {
    this.bytes = bytes;
    this.#ends = ends;
    this.mayLackStream = mayLackStream;
  }

  /** How many records, and so how many replies. */
  get records(): number {
    return this.#ends.length;
  }

  /** The same XADDs for some of its records only, whose indexes ascend. */
  only(indexes: readonly number[]): AddBatch {
    const parts = indexes.map((index) =>
      this.bytes.subarray(index === 0 ? 0 : this.#ends[index - 1]!, this.#ends[index]!),
    );
    let end = 0;
    return new AddBatch(
      Buffer.concat(parts),
      parts.map((part) => {
        end += part.length;
        return end;
      }),
      this.mayLackStream,
    );
  }
}

const LEAD_BYTES = 256;

/** Encodes records for the next batch to one stream. */
export class AddEncoder {
  readonly #stream: string;
  readonly #writer: RespWriter;
  #ends: number[] = [];
  #options: AddOptions | undefined;
  /** The words before the ID, for the current options. */
  #lead: Buffer = Buffer.alloc(0);
  #leadParts = 0;
  #mayLackStream = false;

  /** `capacity`: how many bytes there is room for from the start. */
  constructor(stream: string, capacity?: number) {
    this.#stream = stream;
    this.#writer = new RespWriter(capacity);
  }

  get records(): number {
    return this.#ends.length;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  add({fields, id, options}: AddRequest): void {
    if (options !== this.#options) this.#prepare(options);
    this.#writer.array(this.#leadParts + 1 + 2 * countOf(fields));
    this.#writer.raw(this.#lead);
    this.#writer.string(id);
    writeFields(this.#writer, fields);
    this.#ends.push(this.#writer.length);
  }

  /** Forgets all but the first `records`. */
  cut(records: number): void {
    if (records >= this.#ends.length) return;
    this.#ends.length = records;
    this.#writer.cut(this.#ends.at(-1) ?? 0);
  }

  /** The records since the last batch; there must be one. */
  take(): AddBatch {
    const ends = this.#ends;
    const mayLackStream = this.#mayLackStream;
    this.#ends = [];
    this.#mayLackStream = this.#options?.create === false;
    return new AddBatch(this.#writer.take(), ends, mayLackStream);
  }

  #prepare(options: AddOptions): void {
    const parts = ['XADD', encodeName(this.#stream), ...addClause(options)];
    const lead = new RespWriter(LEAD_BYTES);
    for (const part of parts) lead.string(part);
    this.#options = options;
    this.#mayLackStream ||= options.create === false;
    this.#lead = lead.take();
    this.#leadParts = parts.length;
  }
}

/** Names and values, as XADD takes them. */
export function writeFields(writer: RespWriter, fields: EntryFields): void {
  if (!isRaw(fields)) {
    writePairs(writer, fields);
    return;
  }
  const {bytes, offsets} = fields;
  for (let at = 0; at < 4 * fields.fieldCount; at += 2) writer.part(bytes, offsets[at]!, offsets[at + 1]!);
}

function writePairs(writer: RespWriter, fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    writer.string(name);
    writer.string(value);
  }
}
