/**
 * From what was thrown to the failure that users see. Invariant: only what oclif's parser
 * refused (https://github.com/oclif/core/blob/main/src/parser/errors.ts) becomes a usage error; anything unknown is a bug.
 */
import type {Interfaces} from '@oclif/core';
import {StreamlogError, usageError} from '../errors.js';
import {beginningOf, redact} from '../redact.js';
import {helpHint} from './help-hint.js';

/** What oclif's parser throws; it exports few of these classes, so properties tell them apart. */
interface OclifError extends Error {
  oclif?: {exit?: number};
  code?: string;
  /** Unknown flags as they were typed: `--passwort=geheim`. */
  flags?: string[];
}

/** The failure behind `error`, or undefined when it was an orderly end (EEXIT of oclif). */
export function asFailure(error: unknown): StreamlogError | undefined {
  if (error instanceof StreamlogError) return withMessage(error, redact(error.message));
  if (!(error instanceof Error)) return new StreamlogError('bug', `unexpected: ${beginningOf(String(error), 200)}`);
  const {oclif, code} = error as OclifError;
  if (code === 'EEXIT' || oclif?.exit === 0) return undefined;
  return new StreamlogError('bug', `this is a bug in streamlog: ${error.name}: ${beginningOf(error.message, 200)}`, {
    hint: 'run it again with DEBUG=streamlog for the stack, and please report it',
    cause: error,
  });
}

/** What a command takes. */
interface Known {
  flags?: Interfaces.FlagInput;
  args?: object;
  /** As they were typed. */
  words?: readonly string[];
}

/** What oclif's parser threw for the command `id`, as a usage error in our words; anything else as it is. */
export async function asUsageError(
  error: unknown,
  id: string,
  {flags = {}, args = {}, words = []}: Known,
): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const command = id.replaceAll(':', ' ');
  const message = inOurWords(error.message);
  if (error instanceof StreamlogError) return withMessage(error, message);
  const {oclif, flags: typed} = error as OclifError;
  if (oclif === undefined) return error;
  if (Array.isArray(typed)) {
    const {unknownFlags} = await import('./unknown-flag.js');
    const known = Object.entries(flags).flatMap(([name, {char}]) => [`--${name}`, ...(char ? [`-${char}`] : [])]);
    return unknownFlags(typed, known, command);
  }
  const unexpected = /^unexpected arguments?: (.*)$/s.exec(message)?.[1];
  if (unexpected !== undefined && Object.keys(args).length === 0)
    return usageError(`${command} takes no arguments, but got: ${unexpected}`, helpHint(command));
  const {hintAtMistake} = await import('./argument-hints.js');
  return usageError(message, hintAtMistake({command, message, unexpected, words, flags, args}) ?? helpHint(command));
}

/** The same failure; messages may quote an argument, and that a URL with its password. */
const withMessage = (error: StreamlogError, message: string): StreamlogError =>
  message === error.message
    ? error
    : new StreamlogError(error.kind, message, {hint: error.hint, code: error.code, excerpt: error.excerpt});

/** Messages of oclif's parser (lib/parser/errors.js, parse.js and validate.js of @oclif/core 4) → ours. */
const MESSAGES: readonly (readonly [oclif: RegExp, ours: (...found: string[]) => string])[] = [
  [/^Missing required flag (\S+)$/, (_, name) => `--${name} is required`],
  [/^All of the following must be provided when using (--\S+): (.+)$/, (_, flag, needed) => `${flag} needs ${needed}`],
  [
    /^(--[^\s=]+)(?:=.*)? cannot also be provided when using (--\S+)$/s,
    (_, one, other) => `give ${other} or ${one}, not both`,
  ],
  [
    /^Expected (--[^\s=]+)=(.*) to be one of: (.+)$/s,
    (_, flag, value, all) => `${flag} takes ${oneOf(all!)}, not "${value}"`,
  ],
  [/^Expected (.*) to be one of: (.+)$/s, (_, value, all) => `"${value}" is not ${oneOf(all!)}`],
  [/^Flag (--\S+) expects one of these values: (.+)$/, (_, flag, all) => `${flag} takes ${oneOf(all!)}`],
  [/^Exactly one of the following must be provided: (.+)$/, (_, all) => `give one of ${oneOf(all!)}`],
  [/^Flag (--\S+) expects a value$/, (_, flag) => `${flag} needs a value`],
  [/^Flag (--\S+) can only be specified once$/, (_, flag) => `${flag} can be given only once`],
  [
    /^Missing \d+ required args?:\s*(\S+)(?:\s+(\([^)]*\)))?.*$/s,
    (_, name, all) => `missing argument ${name!.toUpperCase()}${all === undefined ? '' : ` ${all}`}`,
  ],
  [/^Unexpected argument(s?): (.*)$/s, (_, plural, args) => `unexpected argument${plural}: ${args}`],
];

const oneOf = (list: string): string => list.replace(/, ([^,]*)$/, ' or $1');

/** Without the colours and the frames that oclif puts around messages of its own and of our flags. */
function inOurWords(message: string): string {
  const text = redact(stripColors(message))
    .replace(/^Parsing (--\S+)\s*\n\s*/, (_, flag) => (message.includes(`${flag} takes`) ? '' : `${flag}: `))
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\n?See more help with --help\s*$/, '')
    .trim();
  const rewritten = (line: string): string => {
    for (const [oclif, ours] of MESSAGES) {
      const found = oclif.exec(line);
      if (found !== null) return ours(...found);
    }
    return line;
  };
  const whole = rewritten(text);
  if (whole !== text) return whole;
  return text
    .split(/\s*\n\s*/)
    .map(rewritten)
    .join('; ');
}

/** oclif colours its messages where standard error is a terminal: https://github.com/oclif/core, lib/parser/errors.js. */
const stripColors = (text: string): string => text.replace(/\u001b\[\d+m/g, '');

/** Where `error` came from, under the message of its `failure`: its own may quote what must not be shown. */
export function stackOf(error: Error, failure: StreamlogError): string {
  const stack = (error.stack ?? '').replace(error.message, '');
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  return [`${error.name}: ${failure.message}`, ...frames].join('\n');
}
