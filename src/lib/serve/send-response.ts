/**
 * Answers → bytes on a connection. The one difficulty is a request that is
 * answered before its body was read: closing a connection with unread bytes in
 * it makes the system throw away the answer too. Invariant: an answer ends
 * either with the whole request read, or with the connection closed.
 */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import type {Response} from './responses.js';

/** An unread body up to this size is read to its end and thrown away; the connection stays. */
const SMALL_BODY_BYTES = 64 * 1024;
/** How long, and how much, a client that still sends may go on before the connection is closed. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 8 * 1024 * 1024;

/** Of the head of an answer, about. */
const HEAD_BYTES = 256;

const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Sends `answer`; with `last`, or when it writes its body itself, the connection ends behind it. Returns how many
 * bytes that are, about; none where it writes its body itself, and sees itself to how much waits.
 */
export function send(request: IncomingMessage, response: ServerResponse, answer: Response, last: boolean): number {
  if (typeof answer.body === 'function') {
    request.resume();
    response.writeHead(answer.status, {...HEADERS, ...answer.headers, Connection: 'close'});
    answer.body(response);
    return 0;
  }
  const {body} = answer;
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : `${JSON.stringify(body)}\n`;
  const length = Buffer.byteLength(bytes);
  const unread = hasBody(request) && !request.complete;
  const lingers = unread && !isSmall(request) && answer.code !== 'too_many_chunks';
  response.writeHead(answer.status, {
    ...HEADERS,
    ...answer.headers,
    'Content-Length': length,
    ...(last || lingers ? {Connection: 'close'} : {}),
  });
  if (!lingers) {
    // Of endless small chunks even throwing them away costs too much.
    if (answer.code !== 'too_many_chunks') request.resume();
    response.end(request.method === 'HEAD' ? undefined : bytes);
  } else {
    response.write(bytes);
    linger(request, () => response.end());
  }
  return length + HEAD_BYTES;
}

/** Answers what is not even a request, and ends the connection. */
export function sendLast(socket: Duplex, answer: Response): void {
  socket.end(rawAnswer(answer));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function rawAnswer({status, body}: Response): string {
  const text = `${JSON.stringify(body)}\n`;
  const headers = {...HEADERS, 'Content-Length': Buffer.byteLength(text), Connection: 'close'};
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? 'Error'}\r\n${lines.join('')}\r\n${text}`;
}

const STATUS_TEXTS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

const hasBody = ({headers}: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** A client that waits to be asked for its body may send it or not; only closing is clear to both sides. */
const isSmall = ({headers}: IncomingMessage): boolean =>
  headers.expect === undefined &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length']) <= SMALL_BODY_BYTES;

function linger(request: IncomingMessage, then: () => void): void {
  let bytes = 0;
  const timer = setTimeout(finish, LINGER_MS);
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) finish();
  };
  function finish(): void {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    request.pause();
    then();
  }
  request.on('data', onData).once('end', finish).once('close', finish);
  request.resume();
}
