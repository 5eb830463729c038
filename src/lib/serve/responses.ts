/**
 * Responses: the table of refusals (also in docs/serve.md), which errors of Redis
 * map to them, and how a response is sent. Invariants: a text sent to a client is
 * from this table or from the JSON reader, so it repeats nothing of the request;
 * a response ends with the whole request read, or with the connection closed.
 */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import {NOT_CONNECTED, StreamlogError} from '../errors.js';

export interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, text and bytes as they are; a function writes the body itself and ends it. */
  readonly body: object | string | Buffer | ((response: ServerResponse) => void);
  /** How many entries were added, for the log and the metrics. */
  readonly added?: number;
  /** Of a refusal. */
  readonly code?: RefusalCode;
}

/** The values of `error.code`. With `retry`, nothing was added and the same request may succeed a little later. */
export const REFUSALS = {
  bad_request: {status: 400, message: 'this is not a valid HTTP/1.1 request'},
  bad_target: {status: 400, message: 'the target of the request is ambiguous'},
  bad_path: {status: 400, message: 'the stream name in the path is not percent-encoded UTF-8'},
  bad_query: {status: 400, message: 'this path does not support that query'},
  bad_position: {status: 400, message: 'this is not a valid position to read from'},
  bad_json: {status: 400, message: 'the body is not valid JSON'},
  bad_key: {status: 400, message: 'an Idempotency-Key is 1 to 255 visible ASCII characters'},
  reserved_field: {status: 400, message: 'field names that begin with _dlq_ are reserved for dead letters'},
  no_records: {status: 400, message: 'the body has no records'},
  unauthorized: {status: 401, message: 'a valid bearer token is required'},
  stream_not_allowed: {status: 403, message: 'this server does not accept entries for that stream'},
  from_page: {status: 403, message: 'this server does not accept requests from web pages'},
  read_not_allowed: {status: 403, message: 'this server does not let clients read that stream'},
  not_found: {status: 404, message: 'no such path; GET /openapi.json describes all of them'},
  no_stream: {status: 404, message: 'no such stream, and this server does not create streams'},
  method_not_allowed: {status: 405, message: 'this path does not support that method'},
  timeout: {status: 408, message: 'the request did not arrive in time'},
  wrong_type: {status: 409, message: 'the key is not a stream'},
  refused: {status: 409, message: 'Redis refuses the entry'},
  too_large: {status: 413, message: 'the body is larger than this server accepts'},
  too_many_chunks: {status: 413, message: 'the body comes in more small chunks than this server accepts'},
  too_many_records: {status: 413, message: 'the batch has more records than this server accepts at once'},
  unsupported_type: {status: 415, message: 'the body must be application/json or application/x-ndjson, in UTF-8'},
  unsupported_encoding: {status: 415, message: 'the body must not be compressed'},
  expectation_failed: {status: 417, message: 'the only supported expectation is 100-continue'},
  misdirected: {status: 421, message: 'the request names a host that this server is not'},
  key_reused: {status: 422, message: 'the Idempotency-Key was used before, with another body'},
  too_many_requests: {status: 429, message: 'more requests than this server accepts from one client', retry: true},
  headers_too_large: {status: 431, message: 'the header is larger than this server accepts'},
  internal: {status: 500, message: 'the server has an internal problem; its log says more'},
  redis_unavailable: {status: 503, message: 'Redis cannot be reached', retry: true},
  redis_refuses: {status: 503, message: 'Redis refuses for now', retry: true},
  redis_denied: {status: 503, message: 'Redis does not permit this server to do that'},
  overloaded: {status: 503, message: 'too many requests are in flight', retry: true},
  too_many_readers: {status: 503, message: 'the server has as many readers as it accepts', retry: true},
  shutting_down: {status: 503, message: 'this server is shutting down', retry: true},
  unknown_outcome: {status: 503, message: 'Redis did not confirm; it is unknown what was added'},
} as const satisfies Record<string, {status: number; message: string; retry?: boolean}>;

export type RefusalCode = keyof typeof REFUSALS;

/** Where a body is invalid; `index` counts records from 0, as in the `ids` of a batch. */
export interface BodyPosition {
  index?: number;
  line?: number;
  column?: number;
}

/** Thrown to answer a request with an error. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly answer: Response;

  constructor(
    code: RefusalCode,
    {reason, position, headers}: {reason?: string; position?: BodyPosition; headers?: Record<string, string>} = {},
  ) {
    const refusal: {status: number; message: string; retry?: boolean} = REFUSALS[code];
    super(code);
    this.name = 'Refusal';
    this.code = code;
    this.answer = {
      code,
      status: refusal.status,
      headers: {...(refusal.retry ? {'Retry-After': '1'} : {}), ...headers},
      body: {
        error: {code, message: reason ?? refusal.message, ...position},
        ...(code === 'unknown_outcome' ? {outcome: 'unknown'} : {}),
      },
    };
  }
}

/** The code for a failed XADD. */
export function refusalCodeOf(failure: unknown): RefusalCode {
  if (!(failure instanceof StreamlogError)) return 'internal';
  switch (failure.kind) {
    case 'unreachable':
      return failure.code === NOT_CONNECTED ? 'redis_unavailable' : 'unknown_outcome';
    case 'temporary':
      return 'redis_refuses';
    case 'denied':
      return 'redis_denied';
    case 'notFound':
      return 'no_stream';
    case 'data':
      // The key that remembers a request is ours: a client cannot repair what is wrong with it.
      if (failure.code === 'STATETYPE') return 'internal';
      return failure.code === 'WRONGTYPE' ? 'wrong_type' : 'refused';
    default:
      return 'internal';
  }
}

/** An unread body up to this size is read and discarded, and the connection stays open. */
const SMALL_BODY_BYTES = 64 * 1024;
/**
 * How long, and how much, a larger body is read before the connection is closed. Closing a socket with unread bytes
 * makes the system send a reset, which can discard the answer too (RFC 9112, section 9.6).
 */
const LINGER_MS = 1_000;
const LINGER_BYTES = 8 * 1024 * 1024;

/** The approximate size of a response's head. */
const HEAD_BYTES = 256;

const HEADERS = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Sends `answer`. With `last`, or when the answer writes its body itself, the connection is closed after it. Returns
 * the approximate number of bytes, 0 for an answer that writes its body itself and applies its own backpressure.
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
    // Discarding endless small chunks would cost too much as well.
    if (answer.code !== 'too_many_chunks') request.resume();
    response.end(request.method === 'HEAD' ? undefined : bytes);
  } else {
    response.write(bytes);
    linger(request, () => response.end());
  }
  return length + HEAD_BYTES;
}

/** Answers bytes that are not a request, and closes the connection. */
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

/** With `Expect: 100-continue` the client may or may not send its body; only closing is unambiguous. */
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
