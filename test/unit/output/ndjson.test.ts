import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {ndjson} from '../../../src/lib/output/ndjson.js';
import {recordToJson, type StreamRecord} from '../../../src/lib/records/entry.js';
import type {RawRecordSource} from '../../../src/lib/records/raw-record.js';
import {XreadDecoder} from '../../../src/lib/redis/xread-decoder.js';
import {bytes, record, streamId, text} from '../arbitraries.js';
import {entriesReply} from '../redis/entry-replies.js';

const someFields = fc.array(fc.tuple(bytes, bytes), {minLength: 1, maxLength: 8});
const entry = fc.record({id: streamId, fields: someFields});
const origin: fc.Arbitrary<RawRecordSource> = fc.record(
  {stream: text, group: text, consumer: text, deliveries: fc.nat()},
  {requiredKeys: ['stream']},
);

function marked(entries: readonly Pick<StreamRecord, 'id' | 'fields'>[], from: RawRecordSource) {
  const reader = new XreadDecoder();
  reader.read(entriesReply('s', entries));
  return reader.take().records(from);
}
const lines = (records: readonly StreamRecord[]): string => records.map((one) => `${recordToJson(one)}\n`).join('');

describe('NDJSON of records that were read as bytes', () => {
  it('is what recordToJson says', () => {
    fc.assert(
      fc.property(fc.array(entry, {minLength: 1, maxLength: 6}), origin, (entries, from) => {
        expect(ndjson(marked(entries, from)).toString()).toBe(lines(entries.map((one) => ({...one, ...from}))));
      }),
      {numRuns: 1_000},
    );
  });

  it('is that of each byte there is, in names and values', () => {
    for (let byte = 0; byte < 256; byte++) {
      const raw = Buffer.from([0x61, byte, 0x62]);
      for (const pair of [
        ['n', raw],
        [raw, 'v'],
      ] as const) {
        const records = marked([{id: '1-0', fields: [pair, ['x', 'y']]}], {stream: 's'});
        expect(ndjson(records).toString()).toBe(lines(records));
      }
    }
  });

  it('is that of names that come twice, however many there are', () => {
    for (const count of [2, 63, 64, 65, 300]) {
      const names = Array.from({length: count}, (_, n) => `f${n}`);
      const once = marked([{id: '1-0', fields: names.map((name) => [name, ''])}], {stream: 's'});
      const twice = marked([{id: '1-0', fields: [...names, 'f1'].map((name) => [name, ''])}], {stream: 's'});
      expect(ndjson(once).toString()).toBe(lines(once));
      expect(ndjson(twice).toString()).toBe(lines(twice));
      expect(ndjson(twice).toString()).toContain('"pairs"');
    }
  });

  it('is that of values of any length, and of what JSON makes six times as long', () => {
    for (const value of ['\u0000'.repeat(50_000), '"é'.repeat(40_000), 'x'.repeat(16_384), 'x'.repeat(16_385)]) {
      const records = marked(
        [
          {
            id: '1-0',
            fields: [
              ['v', value],
              ['w', '\u0001'.repeat(300)],
            ],
          },
        ],
        {stream: '"s'},
      );
      expect(ndjson(records).toString()).toBe(lines(records));
    }
  });

  it('has room for what ends a line, whatever length its last value has', () => {
    for (let length = 2_990; length <= 3_010; length++) {
      // After a short line, so that memory is made for this one alone.
      ndjson(marked([{id: '1-0', fields: [['v', '']]}], {stream: 's'}));
      const records = marked([{id: '1-0', fields: [['v', '\u0001'.repeat(length)]]}], {stream: 's'});
      expect(ndjson(records).toString()).toBe(lines(records));
    }
  });

  it('is that of records whose origins differ in one thing, one after the other', () => {
    const one: RawRecordSource = {stream: 's', group: 'g', consumer: 'c', deliveries: 1};
    const {group: _, ...ungrouped} = one;
    const others = [
      {...one, stream: 't'},
      {...one, group: 'h'},
      {...one, consumer: 'd'},
      {...one, deliveries: 2},
      ungrouped,
    ];
    const field = {id: '1-0', fields: [['a', '1']] as [string, string][]};
    const records = others.flatMap((other) => [...marked([field], one), ...marked([field], other)]);
    expect(ndjson(records).toString()).toBe(lines(records));
  });

  it('is that of records from several origins, decoded or not', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, origin, record), {maxLength: 5}), (all) => {
        const records = all.flatMap(([one, from, other]) => [...marked([one], from), other]);
        expect(ndjson(records).toString()).toBe(lines(records));
      }),
    );
  });
});
