/**
 * A flag that a command does not have: what was meant, where that can be said. Loaded only for the
 * message. Invariant: a hint names only flags that the command has.
 */
import {type StreamlogError, usageError} from '../errors.js';
import {nearest} from '../near-word.js';
import {helpHint} from './help-hint.js';

/** What redis-cli, kcat, nats and others call it; the flag of ours that does it; and what to say. The first that the command has is taken. */
const ELSEWHERE: readonly (readonly [words: string, flag: string, hint: string])[] = [
  ['topic t queue subject k key', 'stream', '-s, or --stream, names the stream'],
  ['match-group consumer-group group-id cg G', 'group', '-g, or --group, names the group'],
  ['consumer client client-id member', 'name', '--name names the consumer'],
  ['name', 'consumer', '--consumer names the consumer'],
  ['count n N max limit lines head max-count max-messages c', 'count', '-n, or --count, says how many'],
  ['count n N max lines head max-count max-messages c', 'limit', '--limit says how many'],
  ['from-beginning beginning earliest all', 'from', '--from start begins with the first entry'],
  ['from-beginning beginning earliest all', 'to', '--to start begins with the first entry'],
  ['offset o start begin since after id', 'from', '--from says where to begin: an ID, start, end, -N or @TIME'],
  ['offset o from position id', 'to', '--to takes an ID, start, end, -N or @TIME'],
  ['e exit-at-end until-end once no-follow', 'exit', '--exit ends the run when nothing is left to read'],
  ['e exit once exit-at-end', 'no-follow', '--no-follow ends it behind the newest entry'],
  ['follow F', 'no-follow', 'it follows until it is interrupted; --no-follow ends it'],
  ['block timeout', 'wait', '--wait ends the run when no entry has come for this long'],
  ['rev r desc descending newest', 'reverse', '--reverse prints the newest entries first'],
  ['command cmd handler x run', 'exec', '--exec runs a handler for each entry'],
  ['j jobs workers concurrency threads max-procs', 'parallel', '-P, or --parallel, runs several handlers at a time'],
  ['manual-ack no-commit noack', 'ack', '--ack none leaves it to streamlog ack; --no-ack is at most once'],
  ['i input-file in l', 'file', '--file reads records from a file'],
  ['template', 'format', '-f, or --format, takes a template'],
  ['y yes assume-yes', 'force', '--force does it without a question'],
  ['pattern filter glob stream s', 'match', '--match takes a pattern; it may also be given by position'],
  ['tls ssl', 'url', 'rediss:// in --url is for TLS'],
  ['password pass pw a auth', 'password-file', 'a password comes from --password-file or STREAMLOG_PASSWORD'],
  ['user login', 'username', '--username names the user'],
  ['db database', 'url', 'the database stands in the URL: -u redis://HOST:PORT/N'],
  ['socket sock S', 'url', '-u unix://PATH connects to a unix socket'],
  [
    'host hostname port p b broker brokers server servers bootstrap-server bootstrap-servers address addr uri redis',
    'url',
    '-u redis://HOST:PORT, or --url, names the server',
  ],
];

/** `typed` as it stood there; `known` as they are typed: `--stream`, `-s`; `command` if it is known. */
export function unknownFlags(typed: readonly string[], known: readonly string[], command?: string): StreamlogError {
  const hints = new Set(typed.map((flag) => hintFor(flag, known)).filter((hint) => hint !== undefined));
  const hint = hints.size === 0 ? helpHint(command) : [...hints].join('; ');
  return usageError(`unknown flag${typed.length > 1 ? 's' : ''} ${typed.map(flagName).join(', ')}`, hint);
}

function hintFor(typed: string, known: readonly string[]): string | undefined {
  const name = /^(?:--([^=]+)|-(.))/su.exec(typed)?.slice(1).join('') ?? '';
  if (typed === '--version' || typed === '-V') return 'streamlog version prints the version';
  const [, , said] =
    ELSEWHERE.find(([words, flag]) => known.includes(`--${flag}`) && words.split(' ').includes(name)) ?? [];
  if (said !== undefined || !typed.startsWith('--')) return said;
  const near = nearest(`--${name}`, [...known, '--help']);
  return near && `did you mean ${near}?`;
}

/** `--password=geheim` and `-ageheim` are what other programs take, so the rest may be a secret. */
function flagName(text: string): string {
  const [name] = /^(?:--[^=]+=?|-[^-]?)/su.exec(text) ?? [''];
  return name === text ? text : `${name}…`;
}
