/** Replies of XREADGROUP as Redis writes them, for what reads their bytes. */
import type {Bytes} from '../../../src/lib/records/bytes.js';
import type {Entry} from '../../../src/lib/records/entry.js';

const string = (value: Bytes): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
};
const array = (items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items]);

/** Those without fields were deleted meanwhile. */
export const entriesReply = (stream: string, entries: readonly (Entry | {id: string; fields: undefined})[]): Buffer => {
  return array([array([string(stream), rangeReply(entries)])]);
};

/** A reply of XRANGE. */
export const rangeReply = (entries: readonly (Entry | {id: string; fields: undefined})[]): Buffer =>
  array(
    entries.map(({id, fields}) =>
      array([string(id), fields === undefined ? Buffer.from('*-1\r\n') : array(fields.flat().map(string))]),
    ),
  );
