/**
 * Everything this server can answer that is not a success, in one table that
 * docs/serve.md shows too, and how failures of Redis turn into it. Invariant: a
 * text sent to a client is one of those here or a reason from the JSON reader,
 * so it holds nothing of the request and nothing of the server's inside.
 */
import type {ServerResponse} from 'node:http';
import {StreamlogError} from '../errors.js';
import {NOT_CONNECTED} from '../stream-client.js';

export interface Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, text and bytes as they are; a function writes the body itself, until it ends it. */
  readonly body: object | string | Buffer | ((response: ServerResponse) => void);
  /** How many entries were added, for log and metrics. */
  readonly added?: number;
  /** Where this is a refusal. */
  readonly code?: RefusalCode;
}

/** What `error.code` can be. With `retry`, nothing was added and the same request may succeed a little later. */
export const REFUSALS = {
  bad_request: {status: 400, message: 'this is no valid HTTP/1.1 request'},
  bad_target: {status: 400, message: 'the target of the request could be read in two ways'},
  bad_path: {status: 400, message: 'the stream name in the path is not percent-encoded UTF-8'},
  bad_query: {status: 400, message: 'this path takes no such query'},
  bad_position: {status: 400, message: 'this is no position to read from'},
  bad_json: {status: 400, message: 'the body is no valid JSON'},
  bad_key: {status: 400, message: 'an Idempotency-Key is 1 to 255 visible ASCII characters'},
  reserved_field: {status: 400, message: 'the names of fields that begin with _dlq_ are those of dead letters'},
  no_records: {status: 400, message: 'the body holds no records'},
  unauthorized: {status: 401, message: 'a valid bearer token is required'},
  stream_not_allowed: {status: 403, message: 'this server takes no entries for that stream'},
  from_page: {status: 403, message: 'this server takes nothing from web pages'},
  read_not_allowed: {status: 403, message: 'this server lets nobody read that stream'},
  not_found: {status: 404, message: 'no such path; GET /openapi.json describes those that there are'},
  no_stream: {status: 404, message: 'there is no such stream, and this server makes none'},
  method_not_allowed: {status: 405, message: 'this path does not know that method'},
  timeout: {status: 408, message: 'the request did not arrive in time'},
  wrong_type: {status: 409, message: 'the key holds another type than a stream'},
  refused: {status: 409, message: 'Redis refuses the entry'},
  too_large: {status: 413, message: 'the body is larger than this server takes'},
  too_many_chunks: {status: 413, message: 'the body comes in more and smaller chunks than this server takes'},
  too_many_records: {status: 413, message: 'the batch holds more records than this server takes at once'},
  unsupported_type: {status: 415, message: 'the body must be application/json or application/x-ndjson, in UTF-8'},
  unsupported_encoding: {status: 415, message: 'the body must not be compressed'},
  expectation_failed: {status: 417, message: 'the only expectation known is 100-continue'},
  misdirected: {status: 421, message: 'this server does not go by the name that the request has for it'},
  key_reused: {status: 422, message: 'the Idempotency-Key came before, with another body'},
  too_many_requests: {status: 429, message: 'more requests than this server takes from one client', retry: true},
  headers_too_large: {status: 431, message: 'the header is larger than this server takes'},
  internal: {status: 500, message: 'something is wrong with this server; its log says more'},
  redis_unavailable: {status: 503, message: 'Redis cannot be reached', retry: true},
  redis_refuses: {status: 503, message: 'Redis refuses for now', retry: true},
  redis_denied: {status: 503, message: 'Redis does not let this server do that'},
  overloaded: {status: 503, message: 'too much is under way', retry: true},
  too_many_readers: {status: 503, message: 'as many read as this server has room for', retry: true},
  shutting_down: {status: 503, message: 'this server is shutting down', retry: true},
  unknown_outcome: {status: 503, message: 'Redis did not confirm; it is unknown what was added'},
} as const satisfies Record<string, {status: number; message: string; retry?: boolean}>;

export type RefusalCode = keyof typeof REFUSALS;

/** Where in a body a record is bad; `index` counts records from 0, as in the `ids` of a batch. */
export interface BodyPosition {
  index?: number;
  line?: number;
  column?: number;
}

/** Thrown on the way of a request to say how it is answered. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly answer: Response;

  constructor(
    code: RefusalCode,
    {reason, place, headers}: {reason?: string; place?: BodyPosition; headers?: Record<string, string>} = {},
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
        error: {code, message: reason ?? refusal.message, ...place},
        ...(code === 'unknown_outcome' ? {outcome: 'unknown'} : {}),
      },
    };
  }
}

/** The refusal behind a failure to add an entry. */
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
      // The key of an earlier request is ours: a client cannot mend what somebody put there.
      if (failure.code === 'STATETYPE') return 'internal';
      return failure.code === 'WRONGTYPE' ? 'wrong_type' : 'refused';
    default:
      return 'internal';
  }
}
