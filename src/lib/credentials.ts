/**
 * What messages may quote of a text that a user typed. A URL with a password in
 * it gets typed in any place, and the password holds anything: what lies between
 * `://` and the last `@` is left out. Invariant: a text is cut only after that,
 * or the `@` that gives the password away might be what was cut.
 */
export const withoutCredentials = (text: string): string => text.replace(/:\/\/.*@/s, '://…@');

/** The beginning of `text`, of at most `length` characters, without credentials. */
export function beginningOf(text: string, length: number): string {
  const harmless = withoutCredentials(text);
  return harmless.length > length ? `${harmless.slice(0, length)}…` : harmless;
}
