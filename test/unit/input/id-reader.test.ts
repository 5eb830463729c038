import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type IdReference, readIdArguments, readIds} from '../../../src/lib/input/id-reader.js';
import {recordToJson} from '../../../src/lib/records/entry.js';

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

async function allIn(batches: AsyncIterable<IdReference[]>): Promise<IdReference[]> {
  const all: IdReference[] = [];
  for await (const references of batches) all.push(...references);
  return all;
}

const allOf = (...parts: (string | Uint8Array)[]): Promise<IdReference[]> => allIn(readIds(chunks(...parts)));

describe('readIds', () => {
  it('takes the first word of a line, so that a worker may print more behind the ID', async () => {
    expect(await allOf('1-0 done in 3 ms\n\t2-0\r\n3\n')).toEqual([{id: '1-0'}, {id: '2-0'}, {id: '3-0'}]);
  });

  it('takes stream and group of a record from the record', async () => {
    expect(await allOf('{"stream":"orders","id":"1-0","fields":{"id":"x"},"group":"billing"}\n')).toEqual([
      {id: '1-0', stream: 'orders', group: 'billing'},
    ]);
  });

  it.each([
    '{"id":"1-0","id":"2-0"}',
    '{"id":"1-0","stream":"a","stream":"b"}',
    '{"id":"1-0","group":"a","gro\\u0075p":"b"}',
    '{"id":"1-0","x":1,"x":1}',
  ])('refuses a key that comes twice, as readers of records do: %s', async (line) => {
    await expect(allOf(`${line}\n`)).rejects.toThrow('line 1: the same key comes twice');
    expect(() => readIdArguments([line])).toThrow('the same key comes twice');
    expect(await allOf('{"id":"1-0","fields":{"id":"2-0","a":{"b":1,"b":2}}}\n')).toEqual([{id: '1-0'}]);
  });

  it('leaves stream and group open where a record does not name them', async () => {
    expect(await allOf(' {"id":"1-0"} \n')).toEqual([{id: '1-0'}]);
  });

  it('passes over blank lines and takes a last line without newline', async () => {
    expect(await allOf('\n  \n1-0\n\r\n2-0')).toEqual([{id: '1-0'}, {id: '2-0'}]);
  });

  it('takes a byte order mark in front of the first line for what it is', async () => {
    expect(await allOf('\ufeff1-0\n')).toEqual([{id: '1-0'}]);
  });

  it('hands over what has arrived before the input ends', async () => {
    let release = (): void => {};
    async function* slow(): AsyncGenerator<string> {
      yield '1-0\n2-0\n3-';
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield '0\n';
    }
    const batches = readIds(slow());
    expect((await batches.next()).value).toEqual([{id: '1-0'}, {id: '2-0'}]);
    const next = batches.next();
    release();
    expect((await next).value).toEqual([{id: '3-0'}]);
  });

  it('tells the length of each line that was not bad, with its newline, blank ones too', async () => {
    const lengths: number[] = [];
    const batches = readIds(chunks('1-0\n\n{"id":"2-0"}\r\n', '3-0 é\n', 'nonsense\n4-0\n'), (bytes) =>
      lengths.push(bytes),
    );
    await expect(allIn(batches)).rejects.toThrow('line 5');
    expect(lengths.reduce((sum, bytes) => sum + bytes, 0)).toBe(Buffer.byteLength('1-0\n\n{"id":"2-0"}\r\n3-0 é\n'));
  });

  it('hands over all that is in front of a bad line, and nothing behind it', async () => {
    const batches = readIds(chunks('1-0\n2-0\nnonsense\n4-0\n'));
    expect((await batches.next()).value).toEqual([{id: '1-0'}, {id: '2-0'}]);
    await expect(batches.next()).rejects.toThrow('line 3: "nonsense" is not a valid entry ID');
    expect((await batches.next()).done).toBe(true);
  });

  it.each([
    ['{"stream":"s"}', 'a record has an "id"'],
    ['{"id":7}', 'a record has an "id"'],
    ['{"id":"1-0","group":3}', 'a record has an "id"'],
    ['{"id":"x"}', '"x" is not a valid entry ID'],
    ['{"id":"1-0"', 'this is no valid JSON'],
    ['["1-0"]', 'is not a valid entry ID'],
    ['18446744073709551616-0', 'is not a valid entry ID'],
    ['-', 'is not a valid entry ID'],
    ['1-0-0', 'is not a valid entry ID'],
  ])('refuses %s as bad data', async (line, reason) => {
    await expect(allOf(`${line}\n`)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringMatching(/^line 1: /),
    });
    await expect(allOf(`${line}\n`)).rejects.toThrow(reason);
  });

  it('refuses bytes that are not UTF-8, whose stream name would be another one', async () => {
    await expect(allOf(Buffer.from('{"id":"1-0","stream":"\xff"}\n', 'latin1'))).rejects.toThrow(
      'line 1: it is not valid',
    );
  });

  it('quotes no more than the beginning of a bad line', async () => {
    await expect(allOf(`${'x'.repeat(100_000)}\n`)).rejects.toThrow(/^line 1: "x{40}…" is not a valid entry ID$/);
  });

  it('quotes no password of a URL that stands where an ID belongs, however long it is', () => {
    for (const password of ['geheim', 'geheim'.repeat(20), '\n    at x:geheim'])
      expect(() => readIdArguments([`redis://default:${password}@127.0.0.1:6379`])).toThrow(
        '"redis://…@127.0.0.1:6379" is not a valid entry ID',
      );
  });

  it('reads back what every command prints, however it is cut into chunks', async () => {
    const part = fc.bigInt({min: 0n, max: 18_446_744_073_709_551_615n});
    const record = fc.record({
      id: fc.tuple(part, part).map(([ms, sequence]) => `${ms}-${sequence}`),
      stream: fc.string({unit: 'grapheme'}),
      group: fc.string({unit: 'grapheme'}),
      fields: fc.array(fc.tuple(fc.string({unit: 'grapheme'}), fc.string({unit: 'grapheme'})), {minLength: 1}),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record), fc.integer({min: 1, max: 50}), async (records, size) => {
        const bytes = Buffer.from(records.map((each) => `${recordToJson(each)}\n`).join(''));
        const cut = Array.from({length: Math.ceil(bytes.length / size)}, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(await allOf(...cut)).toEqual(records.map(({id, stream, group}) => ({id, stream, group})));
      }),
    );
  });
});

describe('readIdArguments', () => {
  it('takes IDs and records', () => {
    expect(readIdArguments(['1-0', '{"stream":"s","id":"2-0","fields":{}}'])).toEqual([
      {id: '1-0'},
      {id: '2-0', stream: 's'},
    ]);
  });

  it('calls anything else a wrong argument', () => {
    expect(() => readIdArguments(['1-0', 'two'])).toThrow(expect.objectContaining({kind: 'usage'}));
  });
});
