/** SCAN to its end, on every master. Invariant: a master that cannot be reached ends it, or is reported and passed over. */
import {StreamlogError} from '../errors.js';
import {bytesOf, listOf, notRedis, tupleOf} from './checked-reply.js';
import type {CommandLine, Reply} from './command-connection.js';
import {readText} from './replies.js';
import type {Session} from './session.js';

/** Pages of names, of which many may be empty; `lineAt` is the command that goes on at a cursor. */
export async function* scanPages(
  session: Session,
  lineAt: (cursor: string) => CommandLine,
  onLost: ((error: StreamlogError) => void) | undefined,
): AsyncGenerator<string[], void, void> {
  for (const master of session.connection.masters) {
    try {
      yield* scanNode(session, master, lineAt);
    } catch (error) {
      if (onLost === undefined || master === '' || !(error instanceof StreamlogError)) throw error;
      onLost(error);
    }
  }
}

/** The same of one of `masters`. */
export async function* scanNode(
  session: Session,
  master: string,
  lineAt: (cursor: string) => CommandLine,
): AsyncGenerator<string[], void, void> {
  let cursor = '0';
  do {
    const line = lineAt(cursor);
    const page = readScan(await session.run('scan', (connection) => connection.sendToMaster(line, master)));
    cursor = page.cursor;
    yield page.keys;
  } while (cursor !== '0');
}

/** SCAN: where to go on, and the keys of this page. */
export function readScan(reply: Reply): {cursor: string; keys: string[]} {
  const [cursor, keys] = tupleOf(reply, 2);
  const text = bytesOf(cursor).toString('latin1');
  if (!/^\d{1,20}$/.test(text)) throw notRedis();
  return {cursor: text, keys: listOf(keys).map(readText)};
}
