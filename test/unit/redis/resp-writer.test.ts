import fc from 'fast-check';
import {expect, it} from 'vitest';
import {RespWriter} from '../../../src/lib/redis/resp-writer.js';
import {readCommands} from './commands.js';
import {pairs, partsOf} from './records.js';

it('writes what the protocol says, for any strings', () => {
  fc.assert(
    fc.property(fc.array(pairs, {maxLength: 5}), (commands) => {
      const writer = new RespWriter();
      for (const fields of commands) {
        writer.array(fields.length * 2);
        for (const part of fields.flat()) writer.string(part);
      }
      const {length} = writer;
      const taken = writer.take();
      expect(taken.length).toBe(length);
      expect(writer.length).toBe(0);
      expect(readCommands(taken)).toEqual(commands.map(partsOf));
    }),
  );
});

it('writes numbers, parts and what others have written alike', () => {
  const part = Buffer.from('-abc-');
  fc.assert(
    fc.property(fc.integer(), fc.nat(300), (value, count) => {
      const other = new RespWriter();
      for (let n = 0; n < count; n++) other.number(n);
      const writer = new RespWriter();
      writer.array(count + 2);
      writer.raw(other.take());
      writer.number(value);
      writer.part(part, 1, 4);
      const numbers = Array.from({length: count}, (_, n) => String(n));
      expect(readCommands(writer.take())[0]).toEqual([...numbers, String(value), 'abc']);
    }),
  );
});

it('never writes again to memory that was taken', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(1, 100, 20_000, 40_000, 70_000, 200_000), {maxLength: 8}), (sizes) => {
      const writer = new RespWriter();
      const taken = sizes.map((size, index) => {
        writer.string(Buffer.alloc(size, index));
        return writer.take();
      });
      for (const [index, bytes] of taken.entries())
        expect(bytes.subarray(-2 - sizes[index]!, -2).every((byte) => byte === index)).toBe(true);
    }),
  );
});
