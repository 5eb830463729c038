/**
 * The target of a request → its path, its query and the host it names. The one
 * reader of it: routing, the access log and the metrics all have what was read
 * here. Invariant: a target that a proxy could read in another way than we do
 * (RFC 3986, sections 3.3 and 5.2.4; the URL standard of browsers) has no
 * reading, so nothing is added under a name that a rule of the proxy never saw.
 */

export interface RequestTarget {
  /** Begins with a slash, still percent-encoded; `*` for the whole server. */
  readonly path: string;
  /** What stands behind the question mark; undefined without one. */
  readonly query: string | undefined;
  /** `HOST` or `HOST:PORT` of a target in absolute form, which counts in place of the Host header (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d{0,5})?$/i;
/** Visible ASCII without what some take for the end of a path, or for a slash. */
const PATH = /^\/[!"$-.0-[\]-~/]*$/;
/** A dot segment, whichever way its dots are written. */
const DOTS = /^(?:\.|%2e){1,2}$/i;
/** Slashes, and what a decoder makes slashes of. */
const SLASHES = /\/|%2f|%5c/i;

/** Most requests ask for what the one before asked for. */
let last: {readonly text: string; readonly target: RequestTarget | undefined} = {text: '', target: undefined};

/** Undefined where the target could be read in two ways, or is none. */
export function readTarget(text: string): RequestTarget | undefined {
  if (text !== last.text) last = {text, target: readAnew(text)};
  return last.target;
}

function readAnew(target: string): RequestTarget | undefined {
  if (target.startsWith('/')) return readOrigin(target, undefined);
  if (target === '*') return {path: target, query: undefined, authority: undefined};
  const [, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  return AUTHORITY.test(authority) ? readOrigin(rest.startsWith('/') ? rest : `/${rest}`, authority) : undefined;
}

function readOrigin(text: string, authority: string | undefined): RequestTarget | undefined {
  if (text.includes('#')) return undefined;
  const end = text.indexOf('?');
  const path = end === -1 ? text : text.slice(0, end);
  if (!PATH.test(path)) return undefined;
  if (/\.|%2e/i.test(path) && path.split(SLASHES).some((segment) => DOTS.test(segment))) return undefined;
  return {path, query: end === -1 ? undefined : text.slice(end + 1), authority};
}
