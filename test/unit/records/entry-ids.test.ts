import fc from 'fast-check';
import {expect, it} from 'vitest';
import {EntryIds} from '../../../src/lib/records/entry-ids.js';
import {XreadDecoder} from '../../../src/lib/redis/xread-decoder.js';
import {streamId} from '../arbitraries.js';
import {entriesReply} from '../redis/entry-replies.js';

const ids = fc.array(streamId, {minLength: 1, maxLength: 12});

/** Of a reply in which entries of `deleted` come without fields. */
const ofReply = (texts: readonly string[], deleted: readonly string[] = []): EntryIds => {
  const reader = new XreadDecoder();
  const fields = [
    ['a', '1'],
    ['b', ''],
  ] as const;
  const entries = texts.map((id) => (deleted.includes(id) ? {id, fields: undefined} : {id, fields}));
  reader.read(entriesReply('s', entries));
  return EntryIds.ofPage(reader.take());
};

it('names the same IDs as text and as strings of the protocol, wherever they come from', () => {
  fc.assert(
    fc.property(ids, (texts) => {
      const read = ofReply(texts);
      const given = EntryIds.of(texts);
      expect(read.texts).toEqual(texts);
      expect(read.protocol).toEqual(given.protocol);
      for (const {count, first, last} of [read, given])
        expect([count, first, last]).toEqual([texts.length, texts[0], texts.at(-1)]);
    }),
  );
});

it('joins them in their order', () => {
  fc.assert(
    fc.property(fc.array(ids, {maxLength: 4}), (parts) => {
      const joined = EntryIds.join(
        parts.map((texts, index) => (index % 2 === 0 ? EntryIds.of(texts) : ofReply(texts))),
      );
      expect([joined.count, joined.texts]).toEqual([parts.flat().length, parts.flat()]);
    }),
  );
});

it('names no entry that was deleted meanwhile, and none at all where all were', () => {
  const some = ofReply(['1-0', '2-0', '3-0', '4-0'], ['1-0', '3-0']);
  expect([some.count, some.first, some.last, some.texts]).toEqual([2, '2-0', '4-0', ['2-0', '4-0']]);
  const none = ofReply(['1-0', '2-0'], ['1-0', '2-0']);
  expect([none.count, none.first, none.last, none.texts]).toEqual([0, '', '', []]);
});
