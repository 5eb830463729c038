/** From a method and a target to what is wanted. */

import type {RequestTarget} from './request-head.js';
import {Refusal} from './responses.js';

/** Every path that there is, as the description and the metrics name it. */
export const ROUTES = [
  {kind: 'add', template: '/streams/{name}', path: /^\/streams\/([^/]+)$/, methods: ['POST']},
  {kind: 'follow', template: '/streams/{name}/entries', path: /^\/streams\/([^/]+)\/entries$/, methods: ['GET']},
  {kind: 'livez', template: '/livez', path: /^\/livez$/, methods: ['GET', 'HEAD']},
  {kind: 'readyz', template: '/readyz', path: /^\/readyz$/, methods: ['GET', 'HEAD']},
  {kind: 'metrics', template: '/metrics', path: /^\/metrics$/, methods: ['GET', 'HEAD']},
  {kind: 'openapi', template: '/openapi.json', path: /^\/openapi\.json$/, methods: ['GET', 'HEAD']},
] as const;

export interface Route {
  readonly kind: (typeof ROUTES)[number]['kind'];
  /** The segment of the path that names a stream, for `decodeName`; empty where none does. */
  readonly encodedName: string;
  /** What stands behind the question mark; undefined without one. */
  readonly query: string | undefined;
}

/** Throws Refusal when there is no such path or it does not know the method. */
export function readRoute(method: string | undefined, {path, query}: RequestTarget): Route {
  for (const {kind, path: pattern, methods} of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    requireMethod(method, methods);
    return {kind, encodedName: match[1] ?? '', query};
  }
  throw new Refusal('not_found');
}

/** The path of a request in a form that there is a known number of: `/streams/{name}`; `other` where there is none. */
export const templateOf = (path: string): string =>
  ROUTES.find(({path: pattern}) => pattern.test(path))?.template ?? 'other';

/** The stream that a segment of the path names. Throws Refusal. */
export function decodeName(encoded: string): string {
  if (!/^[!-~]+$/.test(encoded)) throw new Refusal('bad_path');
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new Refusal('bad_path');
  }
}

function requireMethod(method: string | undefined, known: readonly string[]): void {
  if (method === undefined || !known.includes(method))
    throw new Refusal('method_not_allowed', {headers: {Allow: known.join(', ')}});
}
