/**
 * Names that exist, for a message about one that does not. Invariants: little is asked (SCAN of some 10,000 keys, XINFO of one
 * stream), for a limited time, and nothing is thrown: what cannot be found out in time is left out.
 */
import {isReservedKey} from '../colocated-key.js';
import {isNoStream, StreamlogError} from '../errors.js';
import {nearest} from '../near-word.js';
import {shellWord} from '../shell-word.js';
import type {StreamClient} from '../stream-client.js';
import {unlessAborted} from '../waiting.js';

export interface KnownNames {
  /** In order. */
  readonly names: readonly string[];
  /** Whether there are no others. */
  readonly areAll: boolean;
}

const LIMIT_MS = 100;
const PAGES = 20;
const KEYS_PER_PAGE = 500;
/** Consumers up to which XINFO CONSUMERS takes Redis less than 5 ms. */
const MOST_CONSUMERS = 5_000;

/** The streams of the server, as far as they are found within 100 ms. */
export async function knownStreams(client: StreamClient): Promise<KnownNames> {
  const found = new Set<string>();
  const ending = AbortSignal.timeout(LIMIT_MS);
  const pages = client.server.streamPages(KEYS_PER_PAGE);
  let areAll = false;
  await orNothing(async () => {
    for (let count = 0; count < PAGES; count++) {
      const page = await unlessAborted(pages.next(), ending);
      areAll = page?.done === true;
      if (page === undefined || page.done) return;
      for (const name of page.value) if (!isReservedKey(name)) found.add(name);
    }
  });
  return {names: [...found].sort(), areAll};
}

/** The groups of a stream, or that there is no such stream; undefined where that cannot be found out. */
export const knownGroups = (
  client: StreamClient,
  stream: string,
): Promise<readonly string[] | 'no stream' | undefined> =>
  inTime(async () => {
    try {
      return (await client.groups(stream)).map(({name}) => name).sort();
    } catch (error) {
      if (isNoStream(error)) return 'no stream';
      throw error;
    }
  });

/** The consumers of a group; undefined where they cannot be found out, and where they are too many to ask for. */
export const knownConsumers = (
  client: StreamClient,
  stream: string,
  group: string,
): Promise<readonly string[] | undefined> => inTime(() => consumersUnlessMany(client, stream, group));

/** In order; undefined where they are too many to ask for. */
export async function consumersUnlessMany(
  client: StreamClient,
  stream: string,
  group: string,
): Promise<readonly string[] | undefined> {
  if ((await client.group(stream, group)).consumers > MOST_CONSUMERS) return undefined;
  return (await client.consumers(stream, group)).map(({name}) => name).sort();
}

/** The one of `names` that was probably meant by `typed`. */
export function nearName(typed: string, names: readonly string[]): string | undefined {
  const exact = names.find((name) => name.toLowerCase() === typed.toLowerCase());
  return (
    exact ?? nearest(typed, names) ?? (typed.length < 3 ? undefined : names.find((name) => name.startsWith(typed)))
  );
}

/** `; did you mean orders?` where a stream has a name near that of `typed`; else nothing. */
export async function meantStream(client: StreamClient, typed: string): Promise<string> {
  const {names} = await knownStreams(client);
  const near = nearName(
    typed,
    names.filter((name) => name !== typed),
  );
  return near === undefined ? '' : `; did you mean ${shellWord(near)}?`;
}

const inTime = <T>(ask: () => Promise<T | undefined>): Promise<T | undefined> =>
  orNothing(() => unlessAborted(ask(), AbortSignal.timeout(LIMIT_MS)));

/** What `work` returns; undefined where it fails: that is not what the message is about. */
async function orNothing<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StreamlogError)) throw error;
    return undefined;
  }
}
