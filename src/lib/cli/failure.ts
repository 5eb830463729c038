/** From whatever was thrown to the failure that users see. Refuses to let anything unknown look like a usage error. */
import {StreamlogError} from '../errors.js';

/** What oclif's parser and helper throw; its classes are not all exported, so their marks stand for them. */
interface OclifError extends Error {
  oclif?: {exit?: number};
  code?: string;
}

/** The failure behind `error`, or undefined when it was not one but an orderly end (`--help`). */
export function asFailure(error: unknown): StreamlogError | undefined {
  if (error instanceof StreamlogError) return withoutParserFrame(error);
  if (!(error instanceof Error)) return new StreamlogError('bug', `unexpected: ${String(error)}`);
  const {oclif, code} = error as OclifError;
  if (code === 'EEXIT' || oclif?.exit === 0) return undefined;
  const unknown = /^command (.*) not found$/s.exec(error.message)?.[1];
  if (unknown !== undefined)
    return new StreamlogError('usage', `no command "${withoutCredentials(unknown).replace(/:(?!\/\/)/g, ' ')}"`, {
      hint: 'see: streamlog --help',
    });
  if (oclif !== undefined) {
    return new StreamlogError('usage', usageText(error.message), {hint: 'add --help to see what this command takes'});
  }
  return new StreamlogError('bug', `this is a bug in streamlog: ${error.name}: ${error.message.slice(0, 200)}`, {
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

/** For what oclif quotes of the command line: a URL may have been typed in the wrong place. */
export const withoutCredentials = (text: string): string => text.replace(/:\/\/[^\s"']*@/g, '://…@');

const usageText = (message: string): string =>
  withoutCredentials(message)
    .replace(/^Parsing (--\S+)\s*\n\s*/, (_, flag) => (message.includes(`${flag} takes`) ? '' : `${flag}: `))
    .replace(/^The following errors? occurred:\s*/, '')
    // The value of a flag that was parsed is an object by now.
    .replaceAll('=[object Object]', '')
    .replace(/\n?See more help with --help\s*$/, '')
    .trim()
    .replace(/:\s*\n\s*/g, ': ')
    .replace(/\s*\n\s*/g, '; ');
