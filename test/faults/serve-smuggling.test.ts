/**
 * Requests that a proxy in front of serve may read in another way than serve
 * does. Each hides a second request, and each is answered once, with a
 * refusal, and ends its connection; nothing of it reaches a stream.
 */
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {RUNTIMES, type Served, sendRaw, statuses} from '../support/http.js';
import {serverForAll} from '../support/redis-server.js';
import {type Certificates, makeCertificates} from '../support/topologies.js';

const RECORD = '{"n":1}';
const post = (stream: string, headers: readonly string[]): string =>
  [`POST /streams/${stream} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', ...headers, '', ''].join(
    '\r\n',
  );
const outer = (...headers: string[]): string => post('outer', headers);
/** What must never be taken for a request. */
const HIDDEN = `${post('hidden', ['Content-Length: 7'])}${RECORD}`;
const chunked = (...headers: string[]): string => outer(...headers, 'Transfer-Encoding: chunked');
const CHUNKS = `7\r\n${RECORD}\r\n0\r\n\r\n`;

const LENGTHS: Record<string, string> = {
  'a length and chunks': outer(`Content-Length: ${CHUNKS.length + HIDDEN.length}`, 'Transfer-Encoding: chunked'),
  'chunks and a length': chunked() + outer('Content-Length: 7'),
  'two lengths': `${outer('Content-Length: 7', `Content-Length: ${7 + HIDDEN.length}`)}${RECORD}`,
  'two lengths of one value': `${outer('Content-Length: 7', 'Content-Length: 7')}${RECORD}`,
  'a list of lengths': `${outer('Content-Length: 7, 7')}${RECORD}`,
  'a length with a sign': `${outer('Content-Length: +7')}${RECORD}`,
  'a negative length': `${outer('Content-Length: -7')}${RECORD}`,
  'a length in hexadecimal': `${outer('Content-Length: 0x7')}${RECORD}`,
  'a length with a fraction': `${outer('Content-Length: 7.0')}${RECORD}`,
  'an empty length': outer('Content-Length: '),
  'a length beyond all numbers': `${outer('Content-Length: 99999999999999999999999')}${RECORD}`,
};

const CODINGS: Record<string, string> = {
  'two codings': chunked('Transfer-Encoding: chunked') + CHUNKS,
  'an unknown coding': outer('Transfer-Encoding: xchunked') + CHUNKS,
  'a coding behind chunked': outer('Transfer-Encoding: chunked, identity') + CHUNKS,
  'a coding behind chunked, in its own header': outer('Transfer-Encoding: chunked', 'Transfer-Encoding: x') + CHUNKS,
  'a coding before chunked': outer('Transfer-Encoding: gzip, chunked') + CHUNKS,
  'identity before chunked': outer('Transfer-Encoding: identity, chunked') + CHUNKS,
  'identity before chunked, in its own header': chunked('Transfer-Encoding: identity') + CHUNKS,
  'identity alone': outer('Transfer-Encoding: identity'),
  'an empty coding': outer('Transfer-Encoding:'),
  'a comma behind chunked': outer('Transfer-Encoding: chunked,') + CHUNKS,
  'chunked in quotes': outer('Transfer-Encoding: "chunked"') + CHUNKS,
  'a control character before chunked': outer('Transfer-Encoding: \x0bchunked') + CHUNKS,
  'chunks in HTTP/1.0': chunked().replace('HTTP/1.1', 'HTTP/1.0') + CHUNKS,
};

const HEADERS: Record<string, string> = {
  'a space before the colon': outer('Transfer-Encoding : chunked') + CHUNKS,
  'a space before the colon of the length': `${outer('Content-Length : 7')}${RECORD}`,
  'a folded header': `${outer('X: a\r\n b', 'Content-Length: 7')}${RECORD}`,
  'a folded coding': outer('Transfer-Encoding:\r\n chunked') + CHUNKS,
  'a folded first header': 'POST /streams/outer HTTP/1.1\r\n Host: localhost\r\n\r\n',
  'a bare CR in a header': outer('X: a\rContent-Length: 7', 'Content-Length: 0'),
  'a bare CR behind the length': `${outer('Content-Length: 7\rX: b')}${RECORD}`,
  'two CR behind a header': `${outer('X: a\r', 'Content-Length: 7')}${RECORD}`,
  'a bare LF behind a header': `${outer('X: a\nTransfer-Encoding: chunked', 'Content-Length: 7')}${RECORD}`,
  'bare LFs throughout': `${outer('Content-Length: 7').replaceAll('\r\n', '\n')}${RECORD}`,
  'a NUL in a value': `${outer('X: a\0b', 'Content-Length: 7')}${RECORD}`,
  'a NUL in a name': `${outer('X\0: a', 'Content-Length: 7')}${RECORD}`,
  'a control character in a value': `${outer('X: a\x01b', 'Content-Length: 7')}${RECORD}`,
  'a header without a name': `${outer(': a', 'Content-Length: 7')}${RECORD}`,
  'a header without a colon': `${outer('Xabc', 'Content-Length: 7')}${RECORD}`,
  'a name with brackets': `${outer('X(y): a', 'Content-Length: 7')}${RECORD}`,
  'two hosts': `${outer('Host: localhost', 'Content-Length: 7')}${RECORD}`,
  'HTTP/2.0': `${outer('Content-Length: 7').replace('HTTP/1.1', 'HTTP/2.0')}${RECORD}`,
  'HTTP/1.2': `${outer('Content-Length: 7').replace('HTTP/1.1', 'HTTP/1.2')}${RECORD}`,
  'HTTP/0.9': 'GET /livez\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
};

const BODIES: Record<string, string> = {
  'a chunk size of more than 64 bits': `${chunked()}fffffffffffffffff\r\n${RECORD}`,
  'a chunk size that overflows to the right one': `${chunked()}10000000000000007\r\n${RECORD}\r\n0\r\n\r\n`,
  'a negative chunk size': `${chunked()}-7\r\n${RECORD}\r\n0\r\n\r\n`,
  'a chunk size with 0x': `${chunked()}0x7\r\n${RECORD}\r\n0\r\n\r\n`,
  'a chunk size with a space': `${chunked()}7 \r\n${RECORD}\r\n0\r\n\r\n`,
  'an empty chunk size': `${chunked()}\r\n${RECORD}\r\n0\r\n\r\n`,
  'a chunk longer than its size': `${chunked()}3\r\n${RECORD}\r\n0\r\n\r\n`,
  'a chunk without its end': `${chunked()}7\r\n${RECORD}XX0\r\n\r\n`,
  'chunks with bare LFs': `${chunked()}7\n${RECORD}\n0\n\n`,
  'a bare LF in a chunk extension': `${chunked()}7;a\nx\r\n${RECORD}\r\n0\r\n\r\n`,
  'a bare CR in a chunk extension': `${chunked()}7;a\rb\r\n${RECORD}\r\n0\r\n\r\n`,
  'a chunk extension without end': `${chunked()}7;${'a'.repeat(20_000)}\r\n${RECORD}\r\n0\r\n\r\n`,
  'a trailer that is no header': `${chunked()}7\r\n${RECORD}\r\n0\r\nX\r\n\r\n`,
  'a length as a trailer': `${chunked()}7\r\n${RECORD}\r\n0\r\nContent-Length: 5\r\n\r\n`,
  'a coding as a trailer': `${chunked()}7\r\n${RECORD}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`,
};

const CORPUS = Object.entries({...LENGTHS, ...CODINGS, ...HEADERS, ...BODIES});

const redis = serverForAll();
let certificates: Certificates;
beforeAll(async () => {
  certificates = makeCertificates();
});
afterAll(async () => {
  certificates.remove();
});

describe.each(
  RUNTIMES.flatMap(([name, start]) => [[name, start, false] as const, [`${name}, by TLS,`, start, true] as const]),
)('%s', (_, start, byTls) => {
  let served: Served;
  beforeAll(async () => {
    const {cert, key} = certificates.server;
    served = await start(!byTls ? [] : ['--tls-cert', cert, '--tls-key', key], redis);
  });
  afterAll(async () => {
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(0);
  });

  afterEach(() => redis.redis.flushall());

  it.concurrent.each(CORPUS)('refuses %s', async (_name, bytes) => {
    const received = await sendRaw(served.url, Buffer.from(bytes + HIDDEN, 'latin1')).closed;
    expect(statuses(received)).toEqual([expect.toSatisfy((status: number) => status === 400 || status === 413)]);
    expect(await redis.redis.exists('outer', 'hidden')).toBe(0);
  });

  it('takes nothing that follows a body too large for it', async () => {
    const heads = [outer('Content-Length: 99999999'), `${chunked()}5f5e0ff\r\n`];
    const received = heads.map((head) => sendRaw(served.url, head + HIDDEN.repeat(20_000)).closed);
    expect((await Promise.all(received)).map(statuses)).toEqual([[413], [413]]);
    expect(await redis.redis.exists('outer', 'hidden')).toBe(0);
  });

  it('takes nothing that follows the last request of a connection', async () => {
    const raw = sendRaw(served.url, `${outer('Content-Length: 7', 'Connection: close')}${RECORD}${HIDDEN}`);
    await raw.closed;
    expect([await redis.redis.xlen('outer'), await redis.redis.exists('hidden')]).toEqual([1, 0]);
  });

  it('takes two whole requests for two', async () => {
    const last = HIDDEN.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    expect(statuses(await sendRaw(served.url, chunked() + CHUNKS + last).closed)).toEqual([201, 201]);
    expect([await redis.redis.xlen('outer'), await redis.redis.xlen('hidden')]).toEqual([1, 1]);
  });
});
