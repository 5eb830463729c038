import fc from 'fast-check';
import {expect, it} from 'vitest';
import {sameBytes} from '../../../src/lib/records/bytes.js';
import {Masking} from '../../../src/lib/transfer/masking.js';
import {bytes, fields, streamId, text} from '../arbitraries.js';

it('hides the values of its fields alone, in their order, and equal ones stay equal', () => {
  fc.assert(
    fc.property(text, streamId, fields, bytes, (stream, id, others, value) => {
      const masking = new Masking(['__proto__', 'mail']);
      const record = {stream, id, fields: [...others, ['mail', value] as const, ['__proto__', value] as const]};
      const masked = masking.of(record);
      expect([masked.stream, masked.id, masked.fields.length]).toEqual([stream, id, record.fields.length]);
      for (const [at, [name, shown]] of masked.fields.entries()) {
        const [, original] = record.fields[at]!;
        if (name !== 'mail' && name !== '__proto__') expect(shown).toBe(original);
        else expect(shown).toMatch(/^masked:[\da-f]{16}$/);
        for (const [other, [, value]] of record.fields.entries())
          if (masked.fields[other]![0] === name && (name === 'mail' || name === '__proto__'))
            expect(masked.fields[other]![1] === shown).toBe(sameBytes(value, original));
      }
      expect(new Masking(['mail']).of(record).fields.at(-2)).not.toEqual(masked.fields.at(-2));
    }),
  );
});

it('gives back a record that has none of its fields', () => {
  const record = {stream: 's', id: '1-0', fields: [['a', '1']] as const};
  expect(new Masking(['b']).of(record)).toBe(record);
});
