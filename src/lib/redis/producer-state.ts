/**
 * Adds records so that each is in the stream once, however often they are sent
 * (docs/adr/0007): the state of a producer, which numbers its records from 1, the
 * calls of the script that adds what is missing, and its replies.
 */
import type {StreamlogError} from '../errors.js';
import {encodeName} from '../records/names.js';
import {countOf} from '../records/raw-fields.js';
import {isEntryId} from '../records/stream-id.js';
import {writeFields} from './add-encoder.js';
import {type AddOptions, type AddRequest, addClause} from './args.js';
import {type CommandBatch, commandBatch} from './command-batch.js';
import {CHECK_STATE, IDEMPOTENT_ADD, RESUME_STATE} from './producer-scripts.js';
import {RespWriter} from './resp-writer.js';
import {MOST_FIELDS_IN_SCRIPT} from './script.js';
import {type CommandContext, replyFailure} from './server-errors.js';
import {transactionOf, type WideTransaction} from './wide-transaction.js';

/** How far a producer has come, as Redis keeps it. */
export interface ProducerState {
  /** The hash, in the slot of the stream. */
  readonly key: string;
  /** How long it stays without being used, in seconds. */
  readonly keepSeconds: number;
  /** Tells these records from others under the same key; '' where there are no others. */
  readonly digest: string;
  /** Whether results have IDs. */
  readonly wantsIds: boolean;
  /** All records of a call, or none. */
  readonly atomic: boolean;
  /** Whether records that were in a stream which is gone are added again; else the call stops. */
  readonly againWhenGone?: boolean;
}

/** The result of a call of the script. */
export interface IdempotentResult {
  /** The number of the last record of this producer that is in the stream. */
  readonly lastSequence: number;
  /** Of the records of this call that were added by it or by an earlier try of it. */
  readonly ids: readonly string[];
  /**
   * Why it stopped before the last record; `gap` when records before its first one are not in the stream,
   * `gone` when the stream was deleted, or deleted and begun anew, since records of this producer were added.
   */
  readonly stopped?: StreamlogError | 'gap' | 'gone' | 'different' | 'no stream';
}

/** One call of the script, ready to be sent. */
export interface IdempotentCall {
  readonly bytes: readonly Buffer[];
  /** The number of its first record. */
  readonly first: number;
  readonly records: number;
  readonly atomic: boolean;
  /** Where the script cannot add the records: the call of it has none, and this adds them. */
  readonly transaction?: WideTransaction;
  /** Of the memory that it takes. */
  readonly byteLength: number;
}

const LEAD_BYTES = 512;

/** Encodes records for the next call of the script on one stream. A call with a record of too many fields for it is a transaction. */
export class IdempotentEncoder {
  readonly #stream: string;
  readonly #state: ProducerState;
  readonly #writer: RespWriter;
  #records = 0;
  #isWide = false;
  #arguments = 0;
  #options: AddOptions | undefined;
  #clause: readonly string[] = [];

  /** `capacity`: how many bytes there is room for from the start. */
  constructor(stream: string, state: ProducerState, capacity?: number) {
    this.#stream = stream;
    this.#writer = new RespWriter(capacity);
    this.#state = state;
  }

  get records(): number {
    return this.#records;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  add({fields, id, options}: AddRequest): void {
    if (options !== this.#options) {
      this.#options = options;
      this.#clause = addClause(options);
    }
    const fieldCount = countOf(fields);
    const count = this.#clause.length + 1 + 2 * fieldCount;
    this.#writer.number(count);
    for (const part of this.#clause) this.#writer.string(part);
    this.#writer.string(id);
    writeFields(this.#writer, fields);
    this.#arguments += count + 1;
    this.#records++;
    if (fieldCount > MOST_FIELDS_IN_SCRIPT) this.#isWide = true;
  }

  /**
   * The records since the last call. `first` is the number of the first one,
   * `forget` that of an earlier call whose result is known.
   */
  take(first: number, forget: number | undefined): IdempotentCall {
    const {key, keepSeconds, digest, wantsIds, atomic, againWhenGone = false} = this.#state;
    const records = this.#records;
    const head = new RespWriter(LEAD_BYTES);
    const flags = [wantsIds ? 'ids' : '', atomic ? 'atomic' : ''];
    const parts = [first, keepSeconds, digest, ...flags, forget ?? '', againWhenGone ? 'again' : ''];
    head.array(5 + parts.length + (this.#isWide ? 0 : this.#arguments));
    for (const part of ['EVALSHA', IDEMPOTENT_ADD.sha, '2', this.#stream, key]) head.string(encodeName(part));
    for (const part of parts) head.string(String(part));
    const encoded = this.#writer.take();
    const isWide = this.#isWide;
    this.#records = 0;
    this.#arguments = 0;
    this.#isWide = false;
    const lead = head.take();
    if (!isWide) return {bytes: [lead, encoded], first, records, atomic, byteLength: lead.length + encoded.length};
    const trim = this.#options?.trim;
    const transaction = transactionOf(this.#stream, this.#state, {encoded, first, records, trim});
    return {bytes: [lead], first, records, atomic, transaction, byteLength: lead.length + transaction.bytes.length};
  }
}

const LOAD = ['SCRIPT', 'LOAD', IDEMPOTENT_ADD.lua];

/** For a new connection, with the last ID that is known: loads the script; the last reply is the sequence, or FORGOTTEN. */
export const loadScript = (stream: string, key: string, lastId: string | undefined): CommandBatch =>
  commandBatch(LOAD, lastId === undefined ? ['HMGET', key, 'mark'] : ['EVAL', CHECK_STATE, '2', stream, key, lastId]);

/** For a new run: the same, or GONE; the IDs kept for calls of earlier runs are dropped. */
export const readSequence = (stream: string, {key, keepSeconds}: ProducerState, lastId = ''): CommandBatch =>
  commandBatch(LOAD, ['EVAL', RESUME_STATE, '2', stream, key, String(keepSeconds), lastId]);

/** For a run that adds nothing for long. */
export const refreshTtl = ({key, keepSeconds}: ProducerState): CommandBatch =>
  commandBatch(['EXPIRE', key, String(keepSeconds)]);

export const removeState = (key: string): CommandBatch => commandBatch(['DEL', key]);

/** Reads the script's reply. Throws where it is none, as from a server that is not Redis. */
export function readIdempotentResult(text: string, context: CommandContext): IdempotentResult {
  const [, lastSequence = '', ids = '', why = ''] = REPLY.exec(text) ?? protocolError();
  const result = {lastSequence: Number(lastSequence), ids: ids === '' ? [] : ids.split(' ').flatMap(expandRun)};
  if (why === '') return result;
  const stopped = STOPPED[why] ?? replyFailure(why, context);
  return {...result, stopped};
}

/** The ID of the last record that is in the stream, as such a reply has it; undefined where there is none. */
export function readLastId(text: string): string | undefined {
  const [, id] = /^\d{1,16} ([^\n]*)\n/.exec(text) ?? [];
  if (id !== undefined && !isEntryId(id)) protocolError();
  return id;
}

const REPLY = /^(\d{1,16})(?: [^\n]*)?\n([^\n]*)\n(.*)$/s;
const STOPPED: Record<string, Exclude<IdempotentResult['stopped'], StreamlogError>> = {
  GAP: 'gap',
  DIFFERENT: 'different',
  MISSING: 'no stream',
  VANISHED: 'gone',
};
/** More than one call ever adds: above it, a number is not one of ours. */
const MOST_IN_RUN = 10_000_000;

/** `5-7+2` → `5-7`, `5-8`. */
function expandRun(run: string): string[] {
  const [id = '', count] = run.split('+', 2);
  if (!isEntryId(id)) protocolError();
  if (count === undefined) return [id];
  const dash = id.indexOf('-');
  const first = Number(id.slice(dash + 1));
  const length = Number(count);
  if (!/^\d+$/.test(count) || length > MOST_IN_RUN || !Number.isSafeInteger(first + length)) protocolError();
  return Array.from({length}, (_, at) => `${id.slice(0, dash)}-${first + at}`);
}

function protocolError(): never {
  throw new Error('Protocol error: no answer of the script that adds once');
}
