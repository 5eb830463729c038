/**
 * The exit codes, after sysexits.h, and what each one promises a script. The numbers are only here; a failure names its kind.
 */
export const EXIT_CODES = {
  done: {code: 0, meaning: 'done; also when the reader of our output went away'},
  bug: {code: 1, meaning: 'a bug in streamlog'},
  usage: {code: 2, meaning: 'wrong flags or arguments, or a question not answered with yes'},
  data: {code: 65, meaning: 'bad input data, or a key that holds no stream'},
  notFound: {code: 66, meaning: 'no such stream, group or entry'},
  unreachable: {code: 69, meaning: 'Redis cannot be reached'},
  incomplete: {code: 70, meaning: 'ended before it could account for everything'},
  io: {code: 74, meaning: 'a local file or pipe failed'},
  temporary: {code: 75, meaning: 'some records unconfirmed, or Redis refuses for now; safe to run again'},
  denied: {code: 77, meaning: 'not authorised'},
  configuration: {code: 78, meaning: 'bad configuration'},
  hungUp: {code: 129, meaning: 'ended by SIGHUP'},
  interrupted: {code: 130, meaning: 'ended by SIGINT'},
  terminated: {code: 143, meaning: 'ended by SIGTERM'},
} as const;

/** The kinds of outcome that a failure can name. */
export type Outcome = keyof typeof EXIT_CODES;

/** The number that a shell sees for `outcome`. */
export const exitCodeOf = (outcome: Outcome): number => EXIT_CODES[outcome].code;
