/**
 * Whether another process consumes under our name. To Redis the two are one
 * consumer: each gets the other's in-flight entries and processes them again
 * (laravel-streamer#64, ragflow#3416).
 *
 * Connections of `consume` are named after stream, group and consumer, and after
 * the process (CLIENT SETNAME). So CLIENT LIST shows other processes, and a lost
 * connection of our own that Redis still has is not taken for one. kill -9 closes
 * connections at once; those of a machine that is gone are idle, while a live
 * process sends something each second. Of two processes that start together, the
 * one that connected first has the name.
 *
 * Rejected: a key with a lease (one more key and right, and a restart would have
 * to wait for it), and the idle time of XINFO CONSUMERS (our own reads reset it,
 * and it is slow for thousands of consumers). CLIENT LIST takes Redis some 2 µs
 * per client, so it is sent only below a bound, which INFO tells.
 */
import {createHash, randomBytes} from 'node:crypto';
import {StreamlogError} from '../errors.js';
import type {ConnectedClient, Membership, StreamClient} from '../stream-client.js';

/** What another live process of the same name leads to: a warning, a failure, or nothing. */
export type SharedName = 'warn' | 'refuse' | 'ignore';

const NAME_IN_USE = 'NAME_IN_USE';

export const isNameInUse = (error: unknown): boolean => error instanceof StreamlogError && error.code === NAME_IN_USE;

/** A connection that was idle for longer belongs to a process that is gone. */
const SILENT_SECONDS = 5;
const PROCESS = randomBytes(6).toString('hex');

/** The name of our connections as `member`. */
export const clientNameOf = (member: Membership): string => `${prefixOf(member)}${PROCESS}`;

/**
 * Warns when another live process consumes under the name of `member`; with `refuse`, throws NAME_IN_USE, also where
 * that cannot be seen.
 */
export async function checkName(
  control: StreamClient,
  member: Membership,
  mode: SharedName,
  onProblem: (line: string) => void,
): Promise<void> {
  if (mode === 'ignore') return;
  const other = await otherProcess(control, member);
  if (other !== undefined && mode === 'refuse') throw nameInUse(member, other);
  if (other !== undefined && other !== 'unknown') onProblem(nameIsShared(member, other));
}

/** Another live process that was first; `unknown` where that cannot be seen. */
export async function otherProcess(
  control: StreamClient,
  member: Membership,
): Promise<ConnectedClient | 'unknown' | undefined> {
  const ours = clientNameOf(member);
  let isSeen = false;
  // Client IDs are per server.
  for (const clients of (await control.server.connectedClients()) ?? []) {
    const since = Math.min(...clients.filter(({name}) => name === ours).map(({id}) => id));
    isSeen ||= since !== Number.POSITIVE_INFINITY;
    const other = clients.find(
      ({name, id, idleSeconds}) =>
        name !== ours && name.startsWith(prefixOf(member)) && id < since && idleSeconds <= SILENT_SECONDS,
    );
    if (other !== undefined) return other;
  }
  // A user who may not run CLIENT SETNAME does not find its own connections.
  return isSeen ? undefined : 'unknown';
}

/** The failure of --exclusive. */
const nameInUse = ({stream, group, consumer}: Membership, other: ConnectedClient | 'unknown'): StreamlogError =>
  new StreamlogError(
    'temporary',
    other === 'unknown'
      ? 'Redis does not show whether another process has this name, so --exclusive cannot be kept'
      : `consumer "${consumer}" of group "${group}" on stream "${stream}" is in use by another process (${other.address})`,
    {
      code: NAME_IN_USE,
      hint:
        other === 'unknown'
          ? 'it takes the rights to INFO, CLIENT LIST and CLIENT SETNAME, and no more than 2,000 clients'
          : 'give each process its own --name',
    },
  );

/** The warning without it. */
const nameIsShared = ({stream, group, consumer}: Membership, {address}: ConnectedClient): string =>
  `another process (${address}) is consumer "${consumer}" of group "${group}" on stream "${stream}" too: entries are ` +
  'processed twice; give each process its own --name, or --exclusive to refuse';

function prefixOf({stream, group, consumer}: Membership): string {
  const hash = createHash('sha256');
  for (const part of [stream, group, consumer]) hash.update(`${part.length}:${part}`);
  return `streamlog:${hash.digest('hex').slice(0, 16)}:`;
}
