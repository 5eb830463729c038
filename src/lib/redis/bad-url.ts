/** Why the URL of a server cannot be used, and what to write. Invariant: no password is in it. */

const FORMS =
  'give --url redis://[user:password@]host[:port][/db], or rediss://, unix://, redis+sentinel://, redis+cluster://';

export class BadUrl extends Error {
  readonly hint: string;

  constructor(reason: string, hint = FORMS) {
    super(reason);
    this.hint = hint;
  }
}
