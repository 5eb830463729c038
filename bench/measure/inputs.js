// The events of the benchmark. Pure: event n of a shape is the same in every run
// and on every machine, so what arrived can be compared with what was sent.
import {closeSync, createReadStream, openSync, writeSync} from 'node:fs';

const CHUNK = 1_000;
const WORDS = ['Grüße', 'привет', '東京', 'naïve', 'café', '数据流', 'señor', '🌍', 'Ελλάδα', 'İstanbul'];

/** What event `n` of each shape is. The comment names the size of its NDJSON line. */
export const SHAPES = {
  // 79 or 80 bytes, 5 fields.
  flat: (n) => ({
    type: n % 3 === 0 ? 'login' : 'click',
    user: `u${digits(n, 7)}`,
    ip: `10.0.${10 + (n % 90)}.${100 + (scatter(n) % 100)}`,
    ok: n % 7 !== 0,
    took_ms: 1000 + (scatter(n) % 9000),
  }),
  // About 1 KB, an object in an object and a list of objects.
  nested: (n) => ({
    type: 'order',
    order: n,
    customer: {
      name: `Customer ${digits(n, 7)}`,
      address: {street: 'Long Street 12', city: 'Springfield', zip: digits(scatter(n), 5)},
    },
    items: Array.from({length: 9}, (_, i) => ({
      sku: `SKU-${digits(scatter(n + i), 6)}`,
      title: `Item number ${i} of this order`,
      quantity: 1 + (i % 3),
      price: 9.5 + i,
    })),
    note: 'Leave it with the neighbour, "second door"\\left side.',
  }),
  // About 115 bytes, most characters more than one byte long.
  text: (n) => ({
    type: 'comment',
    author: `${WORDS[n % 10]} ${digits(n, 7)}`,
    text: Array.from({length: 6}, (_, i) => WORDS[scatter(n + i) % 10]).join(' '),
  }),
};

/** The fields as `produce` stores them: text as it is, all else as compact JSON. */
export function fieldsOf(event) {
  return Object.entries(event).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

/** A command in protocol form. */
export function encode(words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** The ID of entry `n` in a stream that was filled in advance: known, so nothing has to be read to acknowledge it. */
export const filledId = (n) => `${1 + Math.floor(n / 100)}-${n % 100}`;

export const ndjsonLine = (shape) => (n) => `${JSON.stringify(SHAPES[shape](n))}\n`;
export const xadd = (stream, shape, idOf) => (n) =>
  encode(['XADD', stream, idOf(n), ...fieldsOf(SHAPES[shape](n)).flat()]);

/** `line(0)` to `line(count - 1)`, some thousand a piece. */
export function* pieces(count, line, step = 1) {
  for (let n = 0; n < count; n += CHUNK * step) {
    let text = '';
    for (let i = n; i < Math.min(count, n + CHUNK * step); i += step) text += line(i);
    yield text;
  }
}

/** Writes `line(0)` to `line(count - 1)` to a file and returns its path. */
export function writeLines(path, count, line) {
  const file = openSync(path, 'w');
  for (const piece of pieces(count, line)) writeSync(file, piece);
  closeSync(file);
  return path;
}

/** @throws when the file has not so many lines */
export async function expectLines(path, count) {
  let lines = 0;
  for await (const piece of createReadStream(path, {highWaterMark: 1024 ** 2})) {
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines++;
  }
  if (lines !== count) throw new Error(`it wrote ${lines} lines, and not ${count}`);
}

function digits(n, length) {
  return String(n % 10 ** length).padStart(length, '0');
}

/** Spreads neighbouring numbers, the same way each time. */
function scatter(n) {
  return (Math.imul(n + 1, 2654435761) >>> 7) % 100_003;
}
