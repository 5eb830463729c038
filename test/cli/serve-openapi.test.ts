/**
 * The description at /openapi.json against the server itself: every answer in
 * `CASES` is held against what the description says of it, and every status and
 * code that the description or the table of refusals knows has to have a case.
 */
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {REFUSALS, type RefusalCode} from '../../src/lib/serve/responses.js';
import {ROUTES} from '../../src/lib/serve/router.js';
import {readEvents} from '../support/events.js';
import {cuttingProxy, NDJSON_TYPE, type Served, sendRaw, serve} from '../support/http.js';
import {freePort, serverForAll, startRedis, until} from '../support/redis-server.js';

interface DescribedResponse {
  description: string;
  content: Record<string, {schema: object}>;
  headers?: Record<string, {required?: boolean; schema: object}>;
}
interface Operation {
  operationId: string;
  responses: Record<string, DescribedResponse>;
}
type Document = {openapi: string; paths: Record<string, Record<string, Operation>>; components: {schemas: object}};

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

const redis = serverForAll();
let served: Served;
let document: Document;
const ajv = new Ajv2020({strict: false, allErrors: true});
/** Of each operation, the statuses and codes that were seen. */
const seen = new Set<string>();

beforeAll(async () => {
  served = await serve(['--max-body', '200', '--max-records', '3', '--allow-stream', 'ok-*', '--allow-read', 'ok-*'], {
    server: redis,
  });
  document = (await (await fetch(`${served.url}/openapi.json`)).json()) as Document;
  ajv.addSchema(document, 'openapi');
  await redis.redis.set('ok-string', 'x');
});
afterAll(async () => {
  served.process.kill('SIGTERM');
  await served.finished;
});

/** Throws when `answer` is none that the description gives for `operation` of `template`. */
function hold(template: string, operation: string, {status, headers, text}: Answer): void {
  const about = `${operation} ${template} ${status} ${text}`;
  const described = document.paths[template]?.[operation]?.responses[status];
  expect(described, `${about} is not described`).toBeDefined();
  const type = headers.get('Content-Type')?.split(';')[0] ?? '';
  expect(Object.keys(described!.content), about).toContain(type);
  for (const [name, {required, schema}] of Object.entries(described!.headers ?? {})) {
    const value = headers.get(name);
    if (required) expect(value, `${about}: ${name}`).not.toBeNull();
    if (value !== null) expect(ajv.validate(schema, /^\d+$/.test(value) ? Number(value) : value), about).toBe(true);
  }
  if (headers.has('Retry-After')) expect(Object.keys(described!.headers ?? {}), about).toContain('Retry-After');
  const body = type === 'application/json' && operation !== 'head' ? JSON.parse(text) : text;
  if (operation !== 'head') {
    const pointer = ['paths', template, operation, 'responses', String(status), 'content', type, 'schema'];
    const validate = ajv.getSchema(`openapi#/${pointer.map(escapePointer).join('/')}`) as ValidateFunction;
    expect(validate(body), `${about}: ${JSON.stringify(validate.errors)}`).toBe(true);
  }
  seen.add(`${operation} ${template} ${status}`);
  if (body?.error?.code !== undefined) seen.add(`${template} ${body.error.code}`);
}

const escapePointer = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

const asked = async (path: string, init: RequestInit = {}, to = served): Promise<Answer> => {
  const response = await fetch(`${to.url}${path}`, init);
  return {status: response.status, headers: response.headers, text: await response.text()};
};
const posted = (body: string | Uint8Array, path = '/streams/ok-1', headers = {}, to = served): Promise<Answer> =>
  asked(path, {method: 'POST', body, headers: {'Content-Type': 'application/json', ...headers}}, to);
/** The one answer to `lines`, sent as they are. */
async function raw(...lines: string[]): Promise<Answer> {
  const {socket, closed, received} = sendRaw(served.url, `${lines.join('\r\n')}\r\n\r\n`);
  await until(() => /\r\n\r\n./s.test(received()), 'an answer came');
  socket.end();
  const [, status, head = '', text = ''] = /^HTTP\/1\.1 (\d+) [^\r]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(await closed) ?? [];
  const headers = new Headers(
    head.split('\r\n').map((line) => /^(.*?): (.*)$/.exec(line)!.slice(1) as [string, string]),
  );
  return {status: Number(status), headers, text};
}
async function withServer<T>(
  args: string[],
  env: Record<string, string>,
  work: (to: Served) => Promise<T>,
): Promise<T> {
  const to = await serve(args, {env});
  try {
    return await work(to);
  } finally {
    to.process.kill('SIGKILL');
    await to.finished;
  }
}

const STREAM = '/streams/{name}';
const ENTRIES = '/streams/{name}/entries';
const HOST = 'Host: 127.0.0.1';

type Case = [what: string, template: string, operation: string, ask: () => Promise<Answer>];
const CASES: Case[] = [
  ['an entry', STREAM, 'post', () => posted('{"a":1}')],
  ['a batch', STREAM, 'post', () => posted('[{"a":1},{"a":2}]')],
  ['lines', STREAM, 'post', () => posted('{"a":1}\n', undefined, NDJSON_TYPE)],
  [
    'a batch that Redis takes in part',
    STREAM,
    'post',
    async () => {
      await redis.redis.xadd('ok-full', '18446744073709551615-18446744073709551614', 'a', '1');
      return posted('[{"a":1},{"a":2}]', '/streams/ok-full');
    },
  ],
  ['an entry for a full stream', STREAM, 'post', () => posted('{"a":1}', '/streams/ok-full')],
  ['bad JSON', STREAM, 'post', () => posted('{"a":')],
  ['a bad line', STREAM, 'post', () => posted('{"a":1}\n{"a"}\n', undefined, NDJSON_TYPE)],
  ['an empty batch', STREAM, 'post', () => posted('[]')],
  ['a field of dead letters', STREAM, 'post', () => posted('[{"a":1},{"_dlq_id":1}]')],
  ['a target with two readings', STREAM, 'post', () => raw('POST /streams/a\\b HTTP/1.1', HOST, 'Content-Length: 0')],
  ['a bad name', STREAM, 'post', () => posted('{"a":1}', '/streams/%zz')],
  ['a query', STREAM, 'post', () => posted('{"a":1}', '/streams/ok-1?x')],
  ['another stream', STREAM, 'post', () => posted('{"a":1}', '/streams/other')],
  ['a key of another type', STREAM, 'post', () => posted('{"a":1}', '/streams/ok-string')],
  ['a key that is none', STREAM, 'post', () => posted('{"a":1}', undefined, {'Idempotency-Key': 'two words'})],
  [
    'a key that came with another body',
    STREAM,
    'post',
    async () => {
      await posted('{"a":1}', undefined, {'Idempotency-Key': 'k'});
      return posted('{"a":2}', undefined, {'Idempotency-Key': 'k'});
    },
  ],
  ['a large body', STREAM, 'post', () => posted(`{"a":"${'x'.repeat(300)}"}`)],
  ['too many records', STREAM, 'post', () => posted('[{"a":1},{"a":1},{"a":1},{"a":1}]')],
  ['another type', STREAM, 'post', () => posted('a=1', undefined, {'Content-Type': 'text/plain'})],
  ['a compressed body', STREAM, 'post', () => posted('{"a":1}', undefined, {'Content-Encoding': 'gzip'})],
  ['a page', STREAM, 'post', () => posted('{"a":1}', undefined, {Origin: 'https://example.com'})],
  ['another method', STREAM, 'post', () => asked('/streams/ok-1', {method: 'PUT'})],
  [
    'no token',
    STREAM,
    'post',
    () =>
      withServer([], {STREAMLOG_URL: redis.url, STREAMLOG_TOKEN: 't'}, (to) => posted('{"a":1}', '/streams/x', {}, to)),
  ],
  [
    'a request too many',
    STREAM,
    'post',
    () =>
      withServer(['--rate-limit', '0.01'], {STREAMLOG_URL: redis.url}, async (to) => {
        await posted('{"a":1}', '/streams/x', {}, to);
        return posted('{"a":1}', '/streams/x', {}, to);
      }),
  ],
  [
    'no stream to add to',
    STREAM,
    'post',
    () => withServer(['--no-create'], {STREAMLOG_URL: redis.url}, (to) => posted('{"a":1}', '/streams/none', {}, to)),
  ],
  [
    'a Redis without memory',
    STREAM,
    'post',
    async () => {
      await redis.redis.config('SET', 'maxmemory', '1');
      try {
        return await posted('{"a":1}');
      } finally {
        await redis.redis.config('SET', 'maxmemory', '0');
      }
    },
  ],
  [
    'a Redis user without rights',
    STREAM,
    'post',
    async () => {
      await redis.redis.call('ACL', 'SETUSER', 'nobody', 'on', '>pass', '~*', '+@connection');
      const env = {STREAMLOG_URL: redis.url, STREAMLOG_USERNAME: 'nobody', STREAMLOG_PASSWORD: 'pass'};
      return withServer([], env, (to) => posted('{"a":1}', '/streams/x', {}, to));
    },
  ],
  [
    'Redis away',
    STREAM,
    'post',
    async () =>
      withServer([], {STREAMLOG_URL: `redis://127.0.0.1:${await freePort()}`}, (to) =>
        posted('{"a":1}', '/streams/x', {}, to),
      ),
  ],
  ['a lost reply', STREAM, 'post', () => lostReply('{"a":1}')],
  ['a batch with lost replies', STREAM, 'post', () => lostReply('[{"a":1},{"a":2},{"a":3}]')],
  ['a Redis that hangs, and one request too many for it', STREAM, 'post', overloaded],
  ['what is no HTTP', STREAM, 'post', () => raw('garbage')],
  ['a large header', STREAM, 'post', () => raw('POST /streams/a HTTP/1.1', HOST, `X: ${'x'.repeat(20_000)}`)],
  ['another name', STREAM, 'post', () => raw('POST /streams/a HTTP/1.1', 'Host: example.com', 'Content-Length: 0')],
  [
    'another expectation',
    STREAM,
    'post',
    () => raw('POST /streams/a HTTP/1.1', HOST, 'Content-Length: 0', 'Expect: x'),
  ],
  ['a path that is none', STREAM, 'post', () => posted('{"a":1}', '/streams/a/b')],
  [
    'events',
    ENTRIES,
    'get',
    async () => {
      const events = await readEvents(`${served.url}/streams/ok-1/entries`);
      await until(() => events.events().length > 0, 'they begin');
      events.stop();
      return {status: events.response.status, headers: events.response.headers, text: ''};
    },
  ],
  ['a bad position', ENTRIES, 'get', () => asked('/streams/ok-1/entries?from=x')],
  ['a key that cannot be read', ENTRIES, 'get', () => asked('/streams/ok-string/entries')],
  ['a stream that may not be read', ENTRIES, 'get', () => asked('/streams/other/entries')],
  [
    'one reader too many',
    ENTRIES,
    'get',
    () =>
      withServer(['--allow-read', '*', '--max-readers', '1'], {STREAMLOG_URL: redis.url}, async (to) => {
        const first = await readEvents(`${to.url}/streams/a/entries`);
        const answer = await asked('/streams/a/entries', {}, to);
        first.stop();
        return answer;
      }),
  ],
  ...(['/livez', '/readyz', '/metrics', '/openapi.json'] as const).flatMap<Case>((path) => [
    ['it', path, 'get', () => asked(path)],
    ['its header', path, 'head', () => asked(path, {method: 'HEAD'})],
    ['another method', path, 'get', () => asked(path, {method: 'POST'})],
  ]),
  [
    'Redis away',
    '/readyz',
    'get',
    async () =>
      withServer([], {STREAMLOG_URL: `redis://127.0.0.1:${await freePort()}`}, (to) => asked('/readyz', {}, to)),
  ],
];

async function lostReply(body: string): Promise<Answer> {
  const server = await startRedis({tcp: true});
  const proxy = await cuttingProxy(server);
  try {
    return await withServer([], {STREAMLOG_URL: proxy.url}, (to) => {
      proxy.cutAfter(body.startsWith('[') ? 22 : 1);
      return posted(body, '/streams/x', {}, to);
    });
  } finally {
    proxy.close();
    await server.stop();
  }
}

async function overloaded(): Promise<Answer> {
  const server = await startRedis();
  try {
    return await withServer(['--max-inflight', '1'], {STREAMLOG_URL: server.url}, async (to) => {
      server.process.kill('SIGSTOP');
      const waiting = posted('{"a":1}', '/streams/x', {}, to);
      await until(async () => /in_flight 1$/m.test((await asked('/metrics', {}, to)).text), 'it waits');
      const answer = await posted('{"a":2}', '/streams/x', {}, to);
      hold('/readyz', 'get', await asked('/readyz', {}, to));
      server.process.kill('SIGCONT');
      await waiting;
      return answer;
    });
  } finally {
    server.process.kill('SIGCONT');
    await server.stop();
  }
}

describe('/openapi.json', () => {
  it('describes every path, and no other', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(ROUTES.map(({template}) => template));
    for (const {template, methods} of ROUTES) {
      const described = Object.keys(document.paths[template]!).filter((key) => key !== 'parameters');
      expect([template, described.sort()]).toEqual([template, methods.map((method) => method.toLowerCase()).sort()]);
    }
  });

  it.each(CASES)('holds for %s (%s)', async (_, template, operation, ask) => {
    hold(template, operation, await ask());
  });

  it('has nothing to say that no request above has met', () => {
    const statuses = Object.entries(document.paths).flatMap(([template, operations]) =>
      Object.keys(operations).flatMap((operation) =>
        Object.keys(operations[operation]!.responses ?? {}).map((status) => [template, operation, status] as const),
      ),
    );
    // What any path answers was asked of one of them.
    const anywhere = new Set([...seen].map((each) => each.split(' ').at(-1)!));
    const unmet = statuses.filter(([, , status]) => !anywhere.has(status) && !NOT_PROVOKED_STATUS.has(status));
    expect(unmet).toEqual([]);
    const codes = new Set([...seen].map((each) => each.split(' ')[1]!));
    const unmetCodes = (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => !codes.has(code));
    expect(unmetCodes.sort()).toEqual([...NOT_PROVOKED].sort());
  });

  it('names every code that there is', () => {
    const text = JSON.stringify(document.paths);
    expect(Object.keys(REFUSALS).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
  });
});

/** Seen in tests of their own: a bug, a request that does not arrive, a costly one, and a server that is draining. */
const NOT_PROVOKED: RefusalCode[] = ['internal', 'timeout', 'shutting_down', 'too_many_chunks'];
const NOT_PROVOKED_STATUS = new Set(NOT_PROVOKED.map((code) => String(REFUSALS[code].status)));
