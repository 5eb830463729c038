/** Filters against a naive model that decodes everything: on records as they come, as bytes and decoded. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parseExpression} from '../../../src/lib/filter/expression.js';
import {FieldSelection, parseSelection} from '../../../src/lib/filter/field-selection.js';
import {parseGrep} from '../../../src/lib/filter/grep.js';
import {type Conditions, RecordFilter} from '../../../src/lib/filter/record-filter.js';
import {decodeBytes} from '../../../src/lib/records/bytes.js';
import {decodeName} from '../../../src/lib/records/names.js';
import {
  decoded,
  NAMES,
  nearlyJson,
  numeral,
  type RawField,
  rawFields,
  rawRecord,
  rawRecords,
  rawValue,
} from './records.js';

const ID = '1526919030474-55';
const filterOf = (conditions: Conditions): RecordFilter =>
  RecordFilter.of(conditions, ['id', 'time', 'deliveries', 'consumer'], '')!;

/** What both forms of a record say, which must be the same. */
function matches(filter: RecordFilter, fields: readonly RawField[], id = ID): boolean {
  const asBytes = filter.matches(rawRecord(id, fields));
  expect(filter.matches({id, fields: decoded(fields)})).toBe(asBytes);
  return asBytes;
}

const holds = (expression: string, fields: Record<string, string>): boolean =>
  matches(
    filterOf({where: [parseExpression(expression)]}),
    Object.entries(fields).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
  );

/** Everything but letters and digits behind a backslash, bytes that are not UTF-8 as \xNN. */
const escaped = (bytes: Buffer): string =>
  [...decodeName(bytes)]
    .map((char) => {
      const code = char.codePointAt(0)!;
      if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
      return /[\p{L}\p{N}]/u.test(char) ? char : code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\${char}`;
    })
    .join('');

/** The values that a dotted name means, as the documentation has it. */
function valuesOf(fields: readonly RawField[], parts: readonly string[]): Buffer[] {
  for (let cut = parts.length; cut > 0; cut--) {
    const name = Buffer.from(parts.slice(0, cut).join('.'));
    const found = fields.filter((field) => field[0].equals(name)).map(([, value]) => value);
    if (found.length === 0) continue;
    if (cut === parts.length) return found;
    return found.flatMap((value) => valueAt(value, parts.slice(cut)) ?? []);
  }
  return [];
}

function valueAt(json: Buffer, path: readonly string[]): Buffer | undefined {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(json);
    JSON.parse(text);
    // A number as it is written.
    value = JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `{"number":"${token}"}`)));
  } catch {
    return undefined;
  }
  for (const key of path) {
    if (typeof value !== 'object' || value === null || isNumber(value)) return undefined;
    if (Array.isArray(value) && !/^(0|[1-9]\d{0,8})$/.test(key)) return undefined;
    if (!Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  if (typeof value === 'string') return Buffer.from(value);
  return Buffer.from(textOf(value));
}

const TOKEN = /"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const isNumber = (value: unknown): value is {number: string} =>
  typeof value === 'object' && value !== null && Object.keys(value).join() === 'number';

const textOf = (value: unknown): string =>
  isNumber(value)
    ? value.number
    : Array.isArray(value)
      ? `[${value.map(textOf).join()}]`
      : typeof value === 'object' && value !== null
        ? `{${Object.entries(value)
            .map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`)
            .join()}}`
        : JSON.stringify(value);

/** Digits and a power of ten, or undefined. */
function exactly(text: string): [digits: bigint, exponent: bigint] | undefined {
  const match = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,12}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(`0${whole}${fraction}`);
  return [sign === '-' ? -digits : digits, BigInt(exponent) - BigInt(fraction.length)];
}

function compared(a: string, b: string): number | undefined {
  const [left, right] = [exactly(a), exactly(b)];
  if (left === undefined || right === undefined) return undefined;
  const least = left[1] < right[1] ? left[1] : right[1];
  const difference = left[0] * 10n ** (left[1] - least) - right[0] * 10n ** (right[1] - least);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const ORDERS: Record<string, (result: number) => boolean> = {
  '>': (result) => result > 0,
  '>=': (result) => result >= 0,
  '<': (result) => result < 0,
  '<=': (result) => result <= 0,
};

describe('a filter says the same as a model that decodes everything', () => {
  const part = fc.constantFrom('type', 'a', 'b', 'c', 'data', '__proto__', '0', '1', 'constructor', 'ż');
  const reference = fc.oneof(
    fc.constantFrom(...NAMES).map((name) => ({text: escaped(Buffer.from(name)) || '""', parts: [name]})),
    fc.array(part, {minLength: 1, maxLength: 4}).map((parts) => ({
      text: parts.map((one) => escaped(Buffer.from(one))).join('.'),
      parts,
    })),
  );

  it('for = and !=, of one value or several', () => {
    fc.assert(
      fc.property(
        rawFields,
        reference,
        fc.array(rawValue, {minLength: 1, maxLength: 3}),
        (fields, {text, parts}, values) => {
          const right = values.map(escaped).join(' | ');
          const expected = valuesOf(fields, parts).some((found) => values.some((value) => value.equals(found)));
          const equal = [parseExpression(`${text} = ${right}`)];
          expect(matches(filterOf({where: equal}), fields)).toBe(expected);
          expect(matches(filterOf({'not-where': equal}), fields)).toBe(!expected);
          expect(matches(filterOf({where: [parseExpression(`${text}!=${right}`)]}), fields)).toBe(!expected);
        },
      ),
      {numRuns: 1_000},
    );
  });

  it('for values that are in the JSON', () => {
    fc.assert(
      fc.property(nearlyJson, fc.array(part, {minLength: 1, maxLength: 4}), (json, path) => {
        const fields: RawField[] = [[Buffer.from('data'), Buffer.from(json)]];
        const value = valueAt(Buffer.from(json), path);
        const text = ['data', ...path].map((one) => escaped(Buffer.from(one))).join('.');
        expect(matches(filterOf({where: [parseExpression(text)]}), fields)).toBe(value !== undefined);
        expect(matches(filterOf({where: [parseExpression(`!${text}`)]}), fields)).toBe(value === undefined);
        // Objects and arrays are compared as they are written, with their spaces.
        if (value === undefined || /^[[{]/.test(value.toString())) return;
        expect(matches(filterOf({where: [parseExpression(`${text}=${escaped(value)}`)]}), fields)).toBe(true);
        expect(matches(filterOf({where: [parseExpression(`${text}=x${escaped(value)}`)]}), fields)).toBe(false);
      }),
      {numRuns: 2_000},
    );
  });

  it('for numbers of any length', () => {
    fc.assert(
      fc.property(numeral, numeral, fc.constantFrom('>', '>=', '<', '<='), (left, right, operator) => {
        fc.pre(exactly(right) !== undefined);
        const result = compared(left, right);
        expect(holds(`n${operator}${right}`, {n: left})).toBe(result !== undefined && ORDERS[operator]!(result));
      }),
      {numRuns: 2_000},
    );
  });

  it('for wildcards', () => {
    const token = fc.oneof(
      fc.constantFrom('*', '?', '*', 'a', 'b', 'ż', '🙂'),
      // Never part of a character, so that it stands for itself in the model too.
      fc.constant(Buffer.of(0xff)),
    );
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom('a', 'b', 'ż', '🙂').map((one) => Buffer.from(one)),
          fc.constantFrom(0xc5, 0xbc, 0xff).map((byte) => Buffer.of(byte)),
        ),
        {maxLength: 6},
      )
      .map((parts) => Buffer.concat(parts));
    fc.assert(
      fc.property(fc.array(token, {maxLength: 6}), text, (tokens, value) => {
        const pattern = tokens.map((one) => (typeof one === 'string' ? one : escaped(one))).join('');
        const literal = Buffer.concat(tokens.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)));
        const source = [...decodeName(literal)]
          .map((char) => (char === '*' ? '.*' : char === '?' ? '.' : `\\u{${char.codePointAt(0)!.toString(16)}}`))
          .join('');
        const expected = new RegExp(`^${source}$`, 'su').test(decodeName(value));
        const filter = filterOf({where: [parseExpression(`type~${pattern}`)]});
        expect(matches(filter, [[Buffer.from('type'), value]])).toBe(expected);
      }),
      {numRuns: 2_000},
    );
  });

  it('for --grep', () => {
    fc.assert(
      fc.property(rawFields, rawValue, (fields, wanted) => {
        const text = decodeName(wanted);
        fc.pre(text !== '' && !/\p{Cs}|^\//u.test(text));
        const expected = fields.some((field) => field.some((part) => part.includes(wanted)));
        expect(matches(filterOf({grep: [parseGrep(text)]}), fields)).toBe(expected);
      }),
      {numRuns: 1_000},
    );
  });
});

it('--grep says the same of each record of a page, in whatever order they are looked at', () => {
  fc.assert(
    fc.property(
      fc.array(rawFields, {maxLength: 6}),
      rawValue,
      fc.array(fc.nat({max: 5}), {maxLength: 12}),
      (all, wanted, order) => {
        const text = decodeName(wanted);
        fc.pre(text !== '' && !/\p{Cs}|^\//u.test(text));
        const filter = filterOf({grep: [parseGrep(text)]});
        const records = rawRecords(all.map((fields, index) => ({id: `${index}-0`, fields})));
        for (const index of order.filter((one) => one < all.length)) {
          const expected = all[index]!.some((field) => field.some((part) => part.includes(wanted)));
          expect(filter.matches(records[index]!)).toBe(expected);
        }
      },
    ),
    {numRuns: 1_000},
  );
});

describe('what an expression means', () => {
  it.each([
    ['type=paid', true],
    ['type = paid', true],
    ['type="paid"', true],
    [' "type"="paid" ', true],
    ['type=pai', false],
    ['type=open|paid', true],
    ['type= open | "paid" ', true],
    ['type!=open|paid', false],
    ['type!=open|closed', true],
    ['type=pai\\d', 'usage'],
    ['type=p\\x61id', true],
    ['type~p*', true],
    ['type~p?id|x', true],
    ['type~p\\*', false],
    ['type!~x*', true],
    ['type=~^PAID$', false],
    ['type=~/^PAID$/i', true],
    ['type!=~a|b', false],
    ['missing!=x', true],
    ['missing!~x', true],
    ['missing!=~x', true],
    ['missing>1', false],
    ['missing', false],
    ['!missing', true],
    ['! missing', true],
    ['!type', false],
    ['amount>100', true],
    ['amount>100.50', false],
    ['amount>=100.50', true],
    ['amount<1e3', true],
    ['type>1', false],
    ['big>9007199254740992', true],
    ['big<=9007199254740993', true],
    ['big>9007199254740993', false],
    ['data.user.country=DE|AT', true],
    ['data.user', true],
    ['data.user.name', false],
    ['data.items.1.id=8', true],
    ['data.items.2', false],
    ['data.none=null', true],
    ['data.a\\.b=dotted', true],
    ['data.user.id>9007199254740992', true],
    ['"data.user.country"=DE', false],
    ['dotted.name=exact', true],
    ['dotted.name.inner=1', true],
    ['a\\=b=1', true],
    ['"a=b"=1', true],
    ['\\%id=7', true],
    ['"%id"=7', true],
    ['empty=', true],
    ['empty=""', true],
    ['type=', false],
    ['pipe=a\\|b', true],
    ['pipe="a|b"', true],
    ['pipe=a|b', false],
    ['tilde=\\~/x', true],
    ['quoted=say \\"hi\\"', true],
    ['blank=" x "', true],
    ['blank= x ', false],
    ['blank=\\ x\\ ', true],
    ['%id=1526919030474-55', true],
    ['%id~1526*', true],
    ['%id>1526919030474', false],
    ['%id>=1526919030474', true],
    ['%id<1526919030474-56', true],
    ['%time>2018-05-21', true],
    ['%time>-1h', false],
    ['%time<@-1h', true],
    ['%consumer', false],
    ['%deliveries>1', false],
    ['%deliveries!=1', true],
  ])('%s: %s', (expression, expected) => {
    const fields = {
      type: 'paid',
      amount: '100.5',
      big: '9007199254740993',
      data: '{"user":{"country":"AT","id":9007199254740993},"items":[{"id":7},{"id":8}],"none":null,"a.b":"dotted"}',
      'dotted.name': 'exact',
      dotted: '{"name":"json"}',
      'a=b': '1',
      '%id': '7',
      empty: '',
      pipe: 'a|b',
      tilde: '~/x',
      quoted: 'say "hi"',
      blank: ' x ',
    };
    if (expected === 'usage') expect(() => holds(expression, fields)).toThrow(/unknown escape/);
    else if (expression === 'dotted.name.inner=1')
      expect(holds(expression, {...fields, 'dotted.name': '{"inner":1}'})).toBe(true);
    else expect(holds(expression, fields)).toBe(expected);
  });

  it('a name that repeats: any of its values is equal, and for != none may be', () => {
    const fields: RawField[] = [
      ['tag', 'a'],
      ['tag', 'b'],
    ].map(([name, value]) => [Buffer.from(name!), Buffer.from(value!)]);
    const says = (text: string) => matches(filterOf({where: [parseExpression(text)]}), fields);
    expect([says('tag=a'), says('tag=b'), says('tag=c'), says('tag!=a'), says('tag!=c')]).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('JSON of any depth is read without recursion', () => {
    const deep = `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)},"b":"found"}`;
    expect(holds('data.b=found', {data: deep})).toBe(true);
    expect(holds('data.b=found', {data: deep.slice(0, -1)})).toBe(false);
  });

  it('conditions hold all together, and none of --not-where', () => {
    const of = (text: string) => parseExpression(text);
    const fields: RawField[] = [[Buffer.from('type'), Buffer.from('paid')]];
    expect(matches(filterOf({where: [of('type=paid'), of('type~p*')]}), fields)).toBe(true);
    expect(matches(filterOf({where: [of('type=paid'), of('type~x*')]}), fields)).toBe(false);
    expect(matches(filterOf({where: [of('type=paid')], 'not-where': [of('x'), of('type~p*')]}), fields)).toBe(false);
    expect(matches(filterOf({where: [of('type=paid')], grep: [parseGrep('/^PA/i')]}), fields)).toBe(true);
  });
});

describe('a mistake', () => {
  it.each([
    ['', 0, 'the expression is empty'],
    ['=x', 0, 'the name of a field is missing'],
    ['type==paid', 4, '"==" is not an operator'],
    ['type=<5', 4, '"=<" is not an operator'],
    ['type~=x', 4, '"~=" is not an operator'],
    ['a<>b', 1, '"<>" is not an operator'],
    ['!type=x', 5, 'nothing may follow !FIELD'],
    ['wow!', 3, '! stands before a field or begins != !~ or !=~'],
    ['amount>ten', 7, '> takes a number'],
    ['"type=paid', 0, 'the closing quote is missing'],
    ['"type"x=paid', 6, 'nothing may follow the closing quote here'],
    ['type="a" b', 9, 'nothing may follow the closing quote here'],
    ['path=C:\\dir', 7, 'unknown escape "\\d"'],
    ['type=a\\', 6, 'nothing follows the backslash'],
    ['type=~(', 6, /^not a regular expression: /],
    ['type=~', 6, 'a regular expression is missing'],
    ['type=~/x/g', 6, 'the flags of a regular expression are i, m, s, u and v, not "g"'],
    ['%stream=x', 0, 'there is no %stream'],
    ['%id=7', 4, '%id takes an entry ID'],
    ['%time=now', 6, '%time is compared by > >= < <='],
    ['%time>soon', 6, '%time takes a time'],
  ])('in %j is shown at %i: %s', (text, at, message) => {
    let thrown: unknown;
    try {
      parseExpression(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({kind: 'usage', excerpt: {text, at}});
    expect((thrown as Error).message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });
});

describe('a selection', () => {
  it('has the fields that were asked for, in that order, each value of a name that repeats', () => {
    const part = fc.constantFrom('type', 'a', 'b', 'data', '__proto__', '0', 'ż', '');
    const paths = fc.array(fc.array(part, {minLength: 1, maxLength: 3}), {minLength: 1, maxLength: 4});
    fc.assert(
      fc.property(rawFields, paths, (fields, selected) => {
        const text = selected.map((path) => path.map((one) => escaped(Buffer.from(one))).join('.') || '""').join(' , ');
        const selection = new FieldSelection(parseSelection(text));
        const expected = selected.flatMap((path) =>
          valuesOf(fields, path).map((value) => [path.join('.'), decodeBytes(value)]),
        );
        const isScalar = ([, value]: unknown[]): boolean => !/^[[{]/.test(String(value));
        // Objects and arrays come as they are written.
        fc.pre(expected.every(isScalar));
        expect(selection.fieldsOf(rawRecord(ID, fields))).toEqual(expected);
        expect(selection.fieldsOf({id: ID, fields: decoded(fields)})).toEqual(expected);
      }),
      {numRuns: 500},
    );
  });

  it.each([
    ['a,,b', 2, 'the name of a field is missing'],
    ['%id', 0, '--select takes fields'],
    ['a,"b', 2, 'the closing quote is missing'],
  ])('a mistake in %j is shown at %i: %s', (text, at, message) => {
    expect(() => parseSelection(text)).toThrow(expect.objectContaining({kind: 'usage', message, excerpt: {text, at}}));
  });
});
