/**
 * What messages may quote of text that a user typed, without the passwords of URLs: what lies between `://` and the last `@` is
 * left out, and what follows `password=`. Invariant: a text is shortened only after that, as the `@` might be what was cut off.
 */
export const redact = (text: string): string =>
  text.replace(/:\/\/.*@/s, '://…@').replace(/(password=)[^&\s]*/gi, '$1…');

/** The beginning of `text`, of at most `length` characters, without credentials. */
export function beginningOf(text: string, length: number): string {
  const harmless = redact(text);
  return harmless.length > length ? `${harmless.slice(0, length)}…` : harmless;
}

/**
 * A connection URL that names the same server and user, and no password, in
 * `user:password@` or in its query. Undefined where that cannot be separated,
 * as with a password that has a / or ? in it as it is.
 */
export function urlWithoutPassword(url: string): string | undefined {
  const match = /^([a-z+]+:\/\/)(?:([^/?]*)@)?([^?@]*)(?:\?([^@]*))?$/i.exec(url);
  if (match === null) return url.includes('@') || url.includes('?') ? undefined : url;
  const [, scheme = '', credentials = '', address = '', query = ''] = match;
  const user = credentials.split(':', 1)[0]!;
  const harmless = query.split('&').filter((parameter) => parameter !== '' && !SECRET_PARAMETER.test(parameter));
  return `${scheme}${user === '' ? '' : `${user}@`}${address}${harmless.length === 0 ? '' : `?${harmless.join('&')}`}`;
}

const SECRET_PARAMETER = /^[^=]*(pass|secret|token|auth|key)/i;
