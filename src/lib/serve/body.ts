/**
 * A request's body → its bytes, within bounds. Invariant: a body that did not
 * arrive whole never leaves here, and none is held that `BodyMemory` does not
 * know of.
 */
import type {IncomingHttpHeaders, IncomingMessage} from 'node:http';
import type {BodyMemory, HeldBody} from './body-memory.js';
import {Refusal} from './responses.js';

export type MediaType = 'json' | 'ndjson';

/** A body of single bytes, each a chunk of its own, would cost a thousandfold: so many may be small, and the average may not. */
const MAX_SMALL_PIECES = 1_024;
const SMALL_PIECE_BYTES = 16;

/** The client went away before its request was whole: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGone';
  }
}

/** A body of the second kind has a record on each line. */
const TYPES = new Map<string, MediaType>([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
]);
/** The suffix of types that are JSON, such as application/cloudevents+json (RFC 6839). */
const JSON_SUFFIX = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\+json$/;
const UTF8_CHARSET = /^(?:utf-?8|"utf-?8")$/;

/** What kind of body is announced. Throws Refusal for one that this server does not take. */
export function readMediaType(headers: IncomingHttpHeaders): MediaType {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') throw new Refusal('unsupported_encoding');
  const usual = TYPES.get(headers['content-type'] ?? '');
  if (usual !== undefined) return usual;
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*(.*?)\s*$/.exec(parameter)?.[1];
    if (charset !== undefined && !UTF8_CHARSET.test(charset)) throw new Refusal('unsupported_type');
  }
  const name = type?.trim() ?? '';
  const found = TYPES.get(name) ?? (JSON_SUFFIX.test(name) ? 'json' : undefined);
  if (found === undefined) throw new Refusal('unsupported_type');
  return found;
}

/** Throws Refusal when the body is announced to be larger than `maxBytes`. */
export function checkAnnouncedLength(headers: IncomingHttpHeaders, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new Refusal('too_large');
}

export interface BodyOptions {
  readonly maxBytes: number;
  readonly memory: BodyMemory;
  /** Whose memory it takes. */
  readonly client: string;
}

/**
 * Gives all bytes of the body to `done`, with what is held for them, which `done` gives back. Stops reading and gives
 * `failed` a Refusal beyond `maxBytes`, when there is no memory, or when the client is too slow; a ClientGone when the
 * body does not come to its end.
 */
export function readBody(
  request: IncomingMessage,
  {maxBytes, memory, client}: BodyOptions,
  done: (body: Buffer, held: HeldBody) => void,
  failed: (error: Refusal | ClientGone) => void,
): void {
  let isOver = false;
  let pieces = 0;
  const fail = (error: Refusal | ClientGone): void => {
    isOver = true;
    held.release();
    failed(error);
  };
  const stop = (code: 'overloaded' | 'timeout'): void => {
    request.pause();
    fail(new Refusal(code));
  };
  const held = memory.begin(client, maxBytes, stop);
  request.on('data', (chunk: Buffer) => {
    // Whoever answered may go on to read what is thrown away.
    if (isOver) return;
    if (++pieces > MAX_SMALL_PIECES + held.bytes / SMALL_PIECE_BYTES) {
      request.pause();
      fail(new Refusal('too_many_chunks'));
    } else if (held.bytes + chunk.length > maxBytes) {
      request.pause();
      fail(new Refusal('too_large'));
    } else if (!held.add(chunk)) {
      stop('overloaded');
    }
  });
  request.on('end', () => {
    if (isOver) return;
    // Both runtimes promise this; a body that is shorter or longer than announced is never taken all the same.
    const announced = request.headers['content-length'];
    if (announced !== undefined && Number(announced) !== held.bytes) {
      fail(new ClientGone());
      return;
    }
    isOver = true;
    done(held.end(), held);
  });
  request.on('close', () => {
    if (!isOver) fail(new ClientGone());
  });
}
