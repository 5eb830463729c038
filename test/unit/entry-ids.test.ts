import fc from 'fast-check';
import {expect, it} from 'vitest';
import {EntryIds} from '../../src/lib/entry-ids.js';
import {EntryReader} from '../../src/lib/redis/entry-reader.js';
import {streamId} from './arbitraries.js';
import {entriesReply} from './redis/entry-replies.js';

const ids = fc.array(streamId, {minLength: 1, maxLength: 12});

const ofReply = (texts: readonly string[]): EntryIds => {
  const reader = new EntryReader();
  const entries = texts.map((id) => ({
    id,
    fields: [
      ['a', '1'],
      ['b', ''],
    ] as const,
  }));
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
