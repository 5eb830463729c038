/**
 * A request's body → its bytes, within bounds. Invariant: what is held of all
 * bodies together never exceeds the memory given for them, whatever clients
 * announce, and a body that did not arrive whole never leaves here.
 */
import type {IncomingHttpHeaders, IncomingMessage} from 'node:http';
import {Refusal} from './answers.js';

export type MediaType = 'json' | 'ndjson';

/** The client went away before its request was whole: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGone';
  }
}

/** How many bytes of bodies may be held at a time. */
export class BodyMemory {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when there is no room. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
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

/**
 * Gives all bytes of the body to `done`, who gives them back to `memory`. Stops
 * reading and gives `failed` a Refusal beyond `maxBytes`, or when the memory is
 * full; a ClientGone when the body does not come to its end.
 */
export function readBody(
  request: IncomingMessage,
  {maxBytes, memory}: {maxBytes: number; memory: BodyMemory},
  done: (body: Buffer) => void,
  failed: (error: Refusal | ClientGone) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const fail = (error: Refusal | ClientGone): void => {
    isOver = true;
    memory.release(bytes);
    failed(error);
  };
  request.on('data', (chunk: Buffer) => {
    // Whoever answered may go on to read what he throws away.
    if (isOver) return;
    const fits = bytes + chunk.length <= maxBytes;
    if (!fits || !memory.take(chunk.length)) {
      request.pause();
      fail(new Refusal(fits ? 'overloaded' : 'too_large'));
      return;
    }
    bytes += chunk.length;
    chunks.push(chunk);
  });
  request.on('end', () => {
    if (isOver) return;
    // Both runtimes promise this; a body that is shorter or longer than announced is never taken all the same.
    const announced = request.headers['content-length'];
    if (announced !== undefined && Number(announced) !== bytes) {
      fail(new ClientGone());
      return;
    }
    isOver = true;
    done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
  });
  request.on('close', () => {
    if (!isOver) fail(new ClientGone());
  });
}
