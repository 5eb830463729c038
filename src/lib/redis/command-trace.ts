/**
 * What `--trace` prints: each command that is sent, and how long its reply took. Invariant: it costs nothing when it is off; AUTH and
 * HELLO, which have passwords, are never printed; and what is printed has no control characters.
 */
import type {Command, Redis} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {ReplyHandler} from './add-connection.js';
import {commandsIn, type RespCommand} from './resp-commands.js';

/** Takes a line. */
export type Trace = (line: string) => void;

const WITH_SECRETS = new Set(['auth', 'hello']);
const MOST_BYTES = 80;
const MOST_ARGUMENTS = 16;

/**
 * Prints what `client` sends from now on, its handshake included: all that ioredis sends goes through sendCommand
 * (https://github.com/redis/ioredis/blob/main/lib/Redis.ts).
 */
export function traceClient(client: Redis, trace: Trace): void {
  const sendCommand = client.sendCommand.bind(client);
  // One that waits for its connection is sent twice, the first time to a queue.
  const seen = new WeakSet<Command>();
  client.sendCommand = ((command: Command, stream?: never) => {
    if (!seen.has(command) && !WITH_SECRETS.has(command.name.toLowerCase())) {
      seen.add(command);
      const args = command.args.map((arg) => (Buffer.isBuffer(arg) ? arg : String(arg)));
      const ids = 'idCount' in command ? idsText(Number(command.idCount)) : '';
      const say = timed(`${describe(command.name, args)}${ids}`, trace);
      command.promise.then(
        () => say(),
        (error: unknown) => say(wordOf(error)),
      );
    }
    return sendCommand(command, stream);
  }) as Redis['sendCommand'];
}

const idsText = (count: number): string => ` … (${withCommas(count)} ${count === 1 ? 'ID' : 'IDs'})`;

/** `handler`, with a line once all its replies to `bytes` have come. */
export function traceReplies(bytes: readonly Uint8Array[], handler: ReplyHandler, trace: Trace): ReplyHandler {
  const say = timed(summary(commandsIn(Buffer.concat(bytes))), trace);
  let refusal: string | undefined;
  const after = (): void => {
    if (handler.awaits === 0) say(refusal);
  };
  return {
    get stream() {
      return handler.stream;
    },
    get awaits() {
      return handler.awaits;
    },
    text(text, start, end) {
      handler.text(text, start, end);
      after();
    },
    integer(value) {
      handler.integer(value);
      after();
    },
    nil() {
      handler.nil();
      after();
    },
    ...(handler.array === undefined
      ? {}
      : {
          array(count: number) {
            handler.array!(count);
            after();
          },
        }),
    refused(failure: StreamlogError) {
      refusal ??= failure.code;
      handler.refused(failure);
      after();
    },
    lost(failure: StreamlogError) {
      say('no reply');
      handler.lost(failure);
    },
  };
}

/** Prints the line and the time since now, once. */
function timed(line: string, trace: Trace): (outcome?: string) => void {
  const startMs = performance.now();
  let isSaid = false;
  return (outcome) => {
    if (isSaid) return;
    isSaid = true;
    const ms = performance.now() - startMs;
    trace(`${line}  ${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms${outcome === undefined ? '' : `, ${outcome}`}`);
  };
}

/** Redis' word for an error; its text may quote what was sent. */
const wordOf = (error: unknown): string =>
  error instanceof Error ? (/^[A-Z]{2,}(?![a-z])/.exec(error.message)?.[0] ?? 'no reply') : 'no reply';

/** Those of one name that follow each other as one. */
function summary(commands: readonly RespCommand[]): string {
  const texts: string[] = [];
  for (let at = 0; at < commands.length; ) {
    const {name, arguments: args} = commands[at]!;
    let end = at + 1;
    while (commands[end]?.name === name) end++;
    if (end - at === 1) texts.push(describe(name, args));
    else texts.push(`${describe(name, args.slice(0, 1))} … (${withCommas(end - at)} pipelined)`);
    at = end;
  }
  return texts.join(', ');
}

/** As one would type it in redis-cli. */
export function describe(name: string, args: readonly (string | Buffer)[]): string {
  const shown = args.slice(0, MOST_ARGUMENTS).map((arg) => word(typeof arg === 'string' ? Buffer.from(arg) : arg));
  const more = args.length - shown.length;
  return [name.toUpperCase(), ...shown, ...(more > 0 ? [`… (${withCommas(more)} more)`] : [])].join(' ');
}

const PLAIN = /^[\p{L}\p{N}_.:;/@%+,=*<>~$(){}[\]!?&|#^-]+$/u;

function word(bytes: Buffer): string {
  const kept = bytes.subarray(0, MOST_BYTES);
  const text = kept.toString('utf8');
  const cut = bytes.length > MOST_BYTES ? '…' : '';
  const isText = !text.includes('\ufffd');
  if (isText && PLAIN.test(text)) return `${text}${cut}`;
  // Of what is no text, also of a character that was cut in two, each byte is shown.
  const shown = isText ? [...text].map(shownCharacter) : [...kept].map(shownByte);
  return `"${shown.join('')}"${cut}`;
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

function shownCharacter(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  return UNSEEN.test(char) ? [...Buffer.from(char)].map(hex).join('') : char;
}

const shownByte = (byte: number): string => (byte < 0x80 ? shownCharacter(String.fromCharCode(byte)) : hex(byte));

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
