import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type AddBatch, AddEncoder} from '../../../src/lib/redis/add-encoder.js';
import type {AddOptions} from '../../../src/lib/redis/args.js';
import {readCommands} from './commands.js';
import {marked, pairs, partsOf} from './records.js';

const OPTIONS: [options: AddOptions, clause: string[]][] = [
  [{}, []],
  [{create: false}, ['NOMKSTREAM']],
  [{trim: {kind: 'maxLen', maxLen: 10, approximate: true}}, ['MAXLEN', '~', '10']],
  [{create: false, trim: {kind: 'minId', minId: '5-1', approximate: false}}, ['NOMKSTREAM', 'MINID', '=', '5-1']],
];

const record = fc.record({
  fields: pairs,
  isMarked: fc.boolean(),
  id: fc.constantFrom('*', '5-*', '18446744073709551615-18446744073709551615'),
  which: fc.nat(OPTIONS.length - 1),
});
const records = fc.array(record, {minLength: 1, maxLength: 8});
type Record = typeof record extends fc.Arbitrary<infer One> ? One : never;

function encode(all: readonly Record[], encoder = new AddEncoder('s{1}')): AddBatch {
  for (const {fields, isMarked, id, which} of all)
    encoder.add({fields: isMarked ? marked(fields) : fields, id, options: OPTIONS[which]![0]});
  expect(encoder.records).toBe(all.length);
  return encoder.take();
}

const commandOf = ({fields, id, which}: Record): string[] => [
  ...['XADD', 's{1}', ...OPTIONS[which]![1], id],
  ...partsOf(fields),
];

describe('XADDs', () => {
  it('are what Redis is to read, from fields and from places in bytes alike', () => {
    fc.assert(
      fc.property(records, (all) => {
        const batch = encode(all);
        expect(batch.records).toBe(all.length);
        expect(readCommands(batch.bytes)).toEqual(all.map(commandOf));
      }),
    );
  });

  it('may be sent again for some of the records, and then for some of those', () => {
    const subsets = records.chain((all) =>
      fc.tuple(fc.constant(all), fc.subarray([...all.keys()]), fc.infiniteStream(fc.boolean())),
    );
    fc.assert(
      fc.property(subsets, ([all, some, coins]) => {
        const rest = encode(all).only(some);
        expect(rest.records).toBe(some.length);
        expect(readCommands(rest.bytes)).toEqual(some.map((index) => commandOf(all[index]!)));
        const fewer = [...some.keys()].filter(() => coins.next().value);
        const least = rest.only(fewer);
        expect(readCommands(least.bytes)).toEqual(fewer.map((index) => commandOf(all[some[index]!]!)));
      }),
    );
  });

  it('that are taken back leave no trace', () => {
    fc.assert(
      fc.property(records, records, records, (first, gone, last) => {
        const encoder = new AddEncoder('s{1}');
        const add = (all: readonly Record[]): void => {
          for (const {fields, id, which} of all) encoder.add({fields, id, options: OPTIONS[which]![0]});
        };
        add(gone);
        encoder.cut(0);
        add(first);
        add(gone);
        encoder.cut(first.length);
        add(last);
        encoder.cut(first.length + last.length);
        expect(readCommands(encoder.take().bytes)).toEqual([...first, ...last].map(commandOf));
      }),
    );
  });

  it('of one batch know nothing of the batch before', () => {
    fc.assert(
      fc.property(records, records, (first, second) => {
        const encoder = new AddEncoder('s{1}');
        const earlier = encode(first, encoder);
        expect([encoder.records, encoder.byteLength]).toEqual([0, 0]);
        expect(readCommands(encode(second, encoder).bytes)).toEqual(second.map(commandOf));
        expect(readCommands(earlier.bytes)).toEqual(first.map(commandOf));
      }),
    );
  });
});
