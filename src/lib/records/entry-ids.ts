/**
 * The IDs of entries that came together, as strings or as the bytes of a Redis command. Single IDs are rarely
 * needed, so each form is made from the other on first use. Invariant: both name the same IDs, in order.
 */
import type {RawRecordBatch} from './raw-record.js';

export class EntryIds {
  readonly count: number;
  /** Lowest and highest of IDs that ascend; '' where there are none. */
  readonly first: string;
  readonly last: string;
  #texts: readonly string[] | undefined;
  #protocol: Buffer | undefined;

  private constructor(
    {count, first, last}: Pick<EntryIds, 'count' | 'first' | 'last'>,
    forms: {texts?: readonly string[]; protocol?: Buffer},
  ) {
    this.count = count;
    this.first = first;
    this.last = last;
    this.#texts = forms.texts;
    this.#protocol = forms.protocol;
  }

  static of(texts: readonly string[]): EntryIds {
    return new EntryIds({count: texts.length, first: texts[0] ?? '', last: texts.at(-1) ?? ''}, {texts});
  }

  /** Of all entries of `page`, whose bytes are not kept. */
  static ofPage(page: RawRecordBatch): EntryIds {
    return new EntryIds(page, {protocol: page.idStrings()});
  }

  /** All of `parts`, one behind the other. */
  static join(parts: readonly EntryIds[]): EntryIds {
    const [first] = parts;
    if (first === undefined) return EntryIds.of([]);
    if (parts.length === 1) return first;
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const protocol = Buffer.concat(parts.map((part) => part.protocol));
    return new EntryIds({count, first: first.first, last: parts.at(-1)!.last}, {protocol});
  }

  get texts(): readonly string[] {
    this.#texts ??= textsIn(this.#protocol!);
    return this.#texts;
  }

  /** Each as a string of the protocol: `$3\r\n1-0\r\n`. */
  get protocol(): Buffer {
    this.#protocol ??= Buffer.from(this.texts.map((id) => `$${id.length}\r\n${id}\r\n`).join(''), 'latin1');
    return this.#protocol;
  }
}

/** Each is a length and an ID, in lines of their own. */
const textsIn = (protocol: Buffer): string[] =>
  protocol
    .toString('latin1')
    .split('\r\n')
    .filter((_, line) => line % 2 === 1);
