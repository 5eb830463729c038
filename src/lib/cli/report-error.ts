/** From whatever was thrown to the failure that users see. Refuses to let anything unknown look like a usage error. */

import {StreamlogError} from '../errors.js';
import {beginningOf, redact} from '../redact.js';

/** What oclif's parser and helper throw; its classes are not all exported, so their marks stand for them. */
interface OclifError extends Error {
  oclif?: {exit?: number};
  code?: string;
  /** What no command takes, as it was typed: `--passwort=geheim`. */
  flags?: string[];
}

/** The failure behind `error`, or undefined when it was not one but an orderly end (`--help`). */
export function asFailure(error: unknown): StreamlogError | undefined {
  if (error instanceof StreamlogError) return withoutParserFrame(error);
  if (!(error instanceof Error)) return new StreamlogError('bug', `unexpected: ${beginningOf(String(error), 200)}`);
  const {oclif, code, flags} = error as OclifError;
  if (code === 'EEXIT' || oclif?.exit === 0) return undefined;
  const unknown = /^command (.*) not found$/s.exec(error.message)?.[1];
  if (unknown !== undefined)
    return new StreamlogError('usage', `no command "${unknownCommand(unknown)}"`, {
      hint: 'see: streamlog --help',
    });
  if (oclif !== undefined) {
    const message = Array.isArray(flags) ? unknownFlags(flags) : usageText(error.message);
    return new StreamlogError('usage', message, {hint: 'add --help to see what this command takes'});
  }
  return new StreamlogError('bug', `this is a bug in streamlog: ${error.name}: ${beginningOf(error.message, 200)}`, {
    hint: 'run it again with DEBUG=streamlog for the stack, and please report it',
    cause: error,
  });
}

/** oclif writes "Parsing --flag" and "See more help" around the message of a flag that cannot be read. */
function withoutParserFrame(error: StreamlogError): StreamlogError {
  const message = usageText(error.message);
  return message === error.message
    ? error
    : new StreamlogError(error.kind, message, {hint: error.hint, code: error.code});
}

/** Where `error` came from, under the message of its `failure`: its own may quote what must not be shown. */
export function stackOf(error: Error, failure: StreamlogError): string {
  const stack = (error.stack ?? '').replace(error.message, '');
  const places = stack.split('\n').filter((line) => /^ +at /.test(line));
  return [`${error.name}: ${failure.message}`, ...places].join('\n');
}

const unknownCommand = (text: string): string =>
  text.startsWith('-') ? flagName(text) : redact(text).replace(/:(?!\/\/)/g, ' ');

const unknownFlags = (flags: readonly string[]): string =>
  `Nonexistent flag${flags.length === 1 ? '' : 's'}: ${flags.map(flagName).join(', ')}`;

/** `--password=geheim` and `-ageheim` are what other programs take, so there is a secret behind the name as like as not. */
function flagName(text: string): string {
  const [name] = /^(?:--[^=]+=?|-[^-]?)/s.exec(text) ?? [''];
  return name === text ? text : `${name}…`;
}

const usageText = (message: string): string =>
  redact(message)
    .replace(/^Parsing (--\S+)\s*\n\s*/, (_, flag) => (message.includes(`${flag} takes`) ? '' : `${flag}: `))
    .replace(/^The following errors? occurred:\s*/, '')
    // The value of a flag that was parsed is an object by now.
    .replaceAll('=[object Object]', '')
    .replace(/\n?See more help with --help\s*$/, '')
    .trim()
    .replace(/:\s*\n\s*/g, ': ')
    .replace(/\s*\n\s*/g, '; ');
