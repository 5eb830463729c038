/**
 * The OpenAPI 3.1 description of this server, made from the table of refusals.
 * Invariant: an operation gives no answer that is not listed here. (Bodies are read
 * by code of our own, not by zod, so each schema is declared here, once.)
 */
import {REFUSALS, type RefusalCode} from './responses.js';

type Schema = Readonly<Record<string, unknown>>;

const ID: Schema = {type: 'string', pattern: '^\\d+-\\d+$', examples: ['1526919030474-55']};
const object = (properties: Record<string, Schema>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const array = (items: Schema): Schema => ({type: 'array', items, minItems: 1});
const ref = (name: string): Schema => ({$ref: `#/components/schemas/${name}`});
const codes = (names: readonly RefusalCode[]): Schema => ({type: 'string', enum: names});

/** Refusals of the connection, for any request. */
const CONNECTION: RefusalCode[] = ['bad_request', 'timeout', 'expectation_failed', 'headers_too_large', 'internal'];
/** Refusals of any request for a known path. */
const ANY: RefusalCode[] = [...CONNECTION, 'bad_target', 'misdirected', 'from_page', 'not_found', 'method_not_allowed'];
const WITH_TOKEN: RefusalCode[] = [...ANY, 'unauthorized'];
const OF_STREAMS: RefusalCode[] = [...WITH_TOKEN, 'bad_path', 'bad_query', 'too_many_requests', 'shutting_down'];
const OF_REDIS: RefusalCode[] = ['redis_unavailable', 'redis_refuses', 'redis_denied', 'wrong_type', 'refused'];

const ADDING: RefusalCode[] = [
  ...OF_STREAMS,
  ...OF_REDIS,
  'bad_json',
  'reserved_field',
  'no_records',
  'stream_not_allowed',
  'no_stream',
  'too_large',
  'too_many_chunks',
  'too_many_records',
  'bad_key',
  'key_reused',
  'unsupported_type',
  'unsupported_encoding',
  'overloaded',
];
const FOLLOWING: RefusalCode[] = [...OF_STREAMS, ...OF_REDIS, 'bad_position', 'read_not_allowed', 'too_many_readers'];

const record: Schema = {
  type: 'object',
  minProperties: 1,
  description: 'Its members are the fields; null is not accepted by default.',
};

const SCHEMAS: Record<string, Schema> = {
  Added: object({id: ID}),
  BatchAdded: object({ids: array(ID)}),
  /** One per record of a batch, in order. */
  Results: array({
    oneOf: [
      object({id: ID}),
      object({
        error: object({
          code: codes([...OF_REDIS, 'no_stream', 'unknown_outcome', 'internal']),
          message: {type: 'string'},
        }),
      }),
    ],
  }),
  Record: record,
  Entry: {
    type: 'object',
    properties: {
      stream: {type: 'string'},
      id: ID,
      fields: {type: 'object', description: 'A value is a string, or {"$b64":"…"} if it is not UTF-8.'},
      pairs: {type: 'array', description: 'In place of `fields` if a name comes twice or is not UTF-8.'},
    },
    required: ['stream', 'id'],
  },
};

/** The whole description, for a server of this `version`. */
export const openApi = (version: string): object => ({
  openapi: '3.1.0',
  info: {title: 'streamlog serve', version, description: 'Entries of Redis Streams over HTTP.'},
  security: [{token: []}, {}],
  paths: {
    '/streams/{name}': {
      parameters: [NAME],
      post: {
        operationId: 'add',
        summary: 'Adds an entry, or a batch of them. A 2xx status comes after the reply of Redis.',
        parameters: [
          {
            name: 'Idempotency-Key',
            in: 'header',
            description:
              'Makes the request safe to repeat: it adds nothing twice and gets the same IDs, for a day by default.',
            schema: {type: 'string', pattern: '^[!-~]{1,255}$'},
          },
        ],
        requestBody: {
          required: true,
          content: {
            'application/json': {schema: {oneOf: [ref('Record'), array(ref('Record'))]}},
            'application/x-ndjson': {schema: {type: 'string', description: 'One record per line.'}},
            'application/jsonl': {schema: {type: 'string', description: 'The same.'}},
          },
        },
        responses: {
          201: json('All of it was added.', {oneOf: [ref('Added'), ref('BatchAdded')]}),
          207: json('Redis refused a part of the batch.', object({results: ref('Results')})),
          ...refusals(ADDING, [UNKNOWN]),
        },
      },
    },
    '/streams/{name}/entries': {
      parameters: [NAME],
      get: {
        operationId: 'follow',
        summary: 'Sends the entries from a position on, then new ones, as server-sent events.',
        parameters: [
          {
            name: 'from',
            in: 'query',
            description: 'An ID, start, end, -N or @TIME.',
            schema: {type: 'string', default: 'end'},
          },
          {
            name: 'Last-Event-ID',
            in: 'header',
            description: 'Continues after this entry; overrides `from`.',
            schema: ID,
          },
        ],
        responses: {
          200: {
            description: 'Events with the ID of an entry as `id` and the entry (schema Entry) as `data`.',
            content: {'text/event-stream': {schema: {type: 'string'}}},
          },
          ...refusals(FOLLOWING),
        },
      },
    },
    '/livez': get('livez', 'Whether the program runs.', json('It does.', object({status: {const: 'alive'}})), ANY, []),
    '/readyz': get(
      'readyz',
      'Whether Redis replies and accepts entries.',
      json('It does.', object({status: {const: 'ready'}})),
      [...ANY, 'redis_unavailable', 'redis_refuses', 'shutting_down', 'overloaded'],
      [],
    ),
    '/metrics': get(
      'metrics',
      'The metrics of the server.',
      {description: 'In the text format of Prometheus.', content: {'text/plain': {schema: {type: 'string'}}}},
      WITH_TOKEN,
    ),
    '/openapi.json': get('openapi', 'This description.', json('OpenAPI 3.1.', {type: 'object'}), WITH_TOKEN),
  },
  components: {
    schemas: SCHEMAS,
    securitySchemes: {token: {type: 'http', scheme: 'bearer'}},
  },
});

const NAME = {name: 'name', in: 'path', required: true, description: 'The stream.', schema: {type: 'string'}};

/** The only refusal with `outcome` and, for a batch, with what is known of each record. */
const UNKNOWN = object(
  {
    error: object({code: codes(['unknown_outcome']), message: {type: 'string'}}),
    outcome: {const: 'unknown'},
    results: ref('Results'),
  },
  ['error', 'outcome'],
);

const json = (description: string, schema: Schema): object => ({
  description,
  content: {'application/json': {schema}},
});

/** A path with GET, and HEAD without the body. */
function get(operationId: string, summary: string, ok: object, names: readonly RefusalCode[], security?: []): object {
  const responses = {200: ok, ...refusals(names)};
  const more = security === undefined ? {} : {security};
  return {
    get: {operationId, summary, ...more, responses},
    head: {operationId: `${operationId}Head`, summary, ...more, responses},
  };
}

/** The responses for the codes `names`, by status; `more` are further bodies with status 503. */
function refusals(names: readonly RefusalCode[], more: readonly Schema[] = []): Record<string, object> {
  const byStatus = new Map<number, RefusalCode[]>();
  for (const name of names) {
    const {status} = REFUSALS[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  const responses = [...byStatus].map(([status, all]) => {
    const body = refusalBody(all);
    const schema = status === 503 && more.length > 0 ? {oneOf: [body, ...more]} : body;
    const description = all.map((name) => REFUSALS[name].message).join('; ');
    return [status, {...json(description, schema), ...headersOf(all)}] as const;
  });
  return Object.fromEntries(responses);
}

function refusalBody(names: readonly RefusalCode[]): Schema {
  const position: Record<string, Schema> = names.some((name) => name === 'bad_json' || name === 'reserved_field')
    ? {index: COUNT, line: COUNT, column: COUNT}
    : {};
  return object({error: object({code: codes(names), message: {type: 'string'}, ...position}, ['code', 'message'])});
}

const COUNT: Schema = {type: 'integer', minimum: 0};

function headersOf(names: readonly RefusalCode[]): object {
  const isRetried = (name: RefusalCode): boolean => 'retry' in REFUSALS[name];
  const headers = {
    ...(names.some(isRetried)
      ? {
          'Retry-After': {
            description: 'Seconds.',
            required: names.every(isRetried),
            schema: {type: 'integer', minimum: 1},
          },
        }
      : {}),
    ...(names.includes('method_not_allowed') ? {Allow: {required: true, schema: {type: 'string'}}} : {}),
    ...(names.includes('unauthorized') ? {'WWW-Authenticate': {required: true, schema: {type: 'string'}}} : {}),
  };
  return Object.keys(headers).length === 0 ? {} : {headers};
}
