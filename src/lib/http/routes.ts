/** From a request line to what is wanted. Strict: what could be read in two ways is refused. */
import {Refusal} from './answers.js';

export type Route = {kind: 'livez'} | {kind: 'readyz'} | {kind: 'add'; encodedName: string; query: boolean};

/** Throws Refusal when there is no such path or it does not know the method. */
export function readRoute(method: string | undefined, url: string | undefined): Route {
  const [, path = '', query] = /^([^?]*)(\?.*)?$/s.exec(url ?? '') ?? [];
  if (path === '/livez' || path === '/readyz') {
    requireMethod(method, ['GET', 'HEAD']);
    return {kind: path === '/livez' ? 'livez' : 'readyz'};
  }
  const name = /^\/streams\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) throw new Refusal('not_found');
  requireMethod(method, ['POST']);
  return {kind: 'add', encodedName: name, query: query !== undefined};
}

/** The stream that a segment of the path names. Throws Refusal. */
export function decodeName(encoded: string): string {
  if (!/^[!-~]+$/.test(encoded)) throw new Refusal('bad_path');
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
