/** What a server that is no Redis, a broken one or an enemy may send. */
import fc from 'fast-check';

const line = fc.string({unit: fc.constantFrom('a', 'K', '1', '-', ' ', 'ü'), maxLength: 12});
const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '-1',
    '-2',
    '',
    '-',
    '+1',
    '1e9',
    ' 1',
    '99999999999999999999',
    '4294967295',
    '2147483648',
    '536870913',
    '0x10',
  ),
);
const leaf = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('+', '-', ':', '$', '*', '_', '#', ',', '(', '!', '=', '%', '~', '>', '|', 'H'),
      fc.oneof(line, number),
    )
    .map(([type, text]) => `${type}${text}\r\n`),
  line.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
  fc.constantFrom(
    '$3\r\n1-1\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    ':1\r\n',
    ':9223372036854775807\r\n',
    '+OK\r\n',
    '$5\r\nabc\r\n',
    '$1\r\nabc',
    '\r\n',
    '$0\r\n\r\n',
  ),
);

/** Nested replies of RESP2 and RESP3, in part with lengths that are not theirs. */
const reply: fc.Arbitrary<string> = fc.letrec<{node: string}>((tie) => ({
  node: fc.oneof(
    {depthSize: 'small', withCrossShrink: true},
    leaf,
    fc
      .array(tie('node'), {maxLength: 4})
      .chain((items) =>
        fc
          .oneof({weight: 4, arbitrary: fc.constant(String(items.length))}, number)
          .map((length) => `*${length}\r\n${items.join('')}`),
      ),
  ),
})).node;

/** Replies of Redis with some bytes changed, cut off or doubled. */
const PROPER = [
  '*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n',
  '*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n',
  '*4\r\n:1\r\n$3\r\n1-1\r\n$3\r\n1-1\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n',
  '*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5\r\n:1\r\n',
  '*2\r\n$1\r\n0\r\n*1\r\n$1\r\ns\r\n',
  '*4\r\n$6\r\nlength\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n1-1\r\n',
  '$15\r\n1\n1-1\n\r\n',
];
const mutated = fc
  .tuple(
    fc.constantFrom(...PROPER),
    fc.array(fc.tuple(fc.nat({max: 120}), fc.constantFrom('', '0', '9', '-', '\r', '\n', '*', '$', ':', 'x', '\n\n'))),
  )
  .map(([text, changes]) =>
    changes.reduce((before, [at, what]) => before.slice(0, at) + what + before.slice(at + 1), text),
  );

export const hostileReply: fc.Arbitrary<Buffer> = fc
  .oneof(
    reply,
    mutated,
    fc.array(reply, {maxLength: 3}).map((all) => all.join('')),
    fc.string({unit: 'binary', maxLength: 30}),
  )
  .map((text) => Buffer.from(text));

/** Each for one thing that a reader may take on trust. */
export const LIES: readonly [what: string, reply: Buffer][] = [
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
  ['nothing', Buffer.alloc(0)],
  ['a status', Buffer.from('+OK\r\n')],
  ['a number', Buffer.from(':5\r\n')],
  ['nil', Buffer.from('$-1\r\n')],
  ['a nil list', Buffer.from('*-1\r\n')],
  ['a list of 10,000 lists, one in the other', Buffer.from('*1\r\n'.repeat(10_000))],
  ['a list that is said to have 4 billion elements', Buffer.from('*4294967295\r\n')],
  ['many lists that are said to be long', Buffer.from('*8000000\r\n'.repeat(20))],
  ['a string that is said to be of 4 GB', Buffer.from('$4294967296\r\n')],
  ['a string below none', Buffer.from('$-5\r\nabc\r\n')],
  ['a list below none', Buffer.from('*-5\r\n')],
  ['a map of RESP3', Buffer.from('%1\r\n+a\r\n:1\r\n')],
  ['a push of RESP3', Buffer.from('>2\r\n+message\r\n+a\r\n')],
  ['more replies than commands', Buffer.from('+OK\r\n'.repeat(5))],
  ['a list of lists that are empty', Buffer.from('*2\r\n*0\r\n*0\r\n')],
  ['a line without end', Buffer.from(`+${'x'.repeat(2_000_000)}`)],
];
