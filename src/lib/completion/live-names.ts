/**
 * Names of a server that a word may be completed to. Invariants: what is asked is bounded, whatever the server
 * holds, in pages that Redis answers at once; only what begins with the prefix is returned.
 */
import {isReservedKey} from '../colocated-key.js';
import {deadLetterStream} from '../dead-letters/dead-letter-origin.js';
import {consumersUnlessMany, type KnownNames} from '../reading/known-names.js';
import {FIRST_ID, LAST_ID} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';

const NAME_KINDS = ['stream', 'group', 'consumer', 'id'] as const;
type NameKind = (typeof NAME_KINDS)[number];
/** And what stands in the configuration. */
export const LOOK_UPS = [...NAME_KINDS, 'context'] as const;
export type LookUp = (typeof LOOK_UPS)[number];

export interface Surroundings {
  stream: string;
  group: string;
  /** Which IDs are meant: those that are pending, those of dead letters, or those of the newest entries. */
  ids: 'pending' | 'dead' | 'newest';
}

/** So many are offered at most. */
export const MOST_NAMES = 200;
const KEYS_PER_PAGE = 500;
/** 100,000 keys. */
const PAGES = 200;
const PENDING_IDS = 100;
/** Few, since their fields come along. */
const NEWEST_IDS = 20;

export async function liveNames(
  client: StreamClient,
  kind: NameKind,
  prefix: string,
  {stream, group, ids}: Surroundings,
): Promise<KnownNames> {
  if (kind === 'stream') return streamsFrom(client, prefix);
  const all = await ofStream(client, kind, stream, group, ids);
  const names = all.filter((name) => name.startsWith(prefix));
  return {names: names.slice(0, MOST_NAMES), areAll: kind !== 'id' && names.length <= MOST_NAMES};
}

async function ofStream(
  client: StreamClient,
  kind: Exclude<NameKind, 'stream'>,
  stream: string,
  group: string,
  ids: Surroundings['ids'],
): Promise<readonly string[]> {
  if (kind === 'group') return (await client.groups(stream)).map(({name}) => name).sort();
  if (kind === 'consumer') return (await consumersUnlessMany(client, stream, group)) ?? [];
  if (ids === 'pending') return (await client.pendingPage(stream, group, {count: PENDING_IDS})).map(({id}) => id);
  const from = ids === 'dead' ? deadLetterStream(stream) : stream;
  const pages = client.records(from, FIRST_ID, LAST_ID, {reverse: true, page: NEWEST_IDS});
  for await (const page of pages) return page.slice(0, NEWEST_IDS).map(({id}) => id);
  return [];
}

async function streamsFrom(client: StreamClient, prefix: string): Promise<KnownNames> {
  const found = new Set<string>();
  const pages = client.server.streamPages(KEYS_PER_PAGE, `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`);
  for (let count = 0; count < PAGES; count++) {
    const page = await pages.next();
    if (page.done) return {names: [...found].sort(), areAll: true};
    for (const name of page.value) if (!isReservedKey(name)) found.add(name);
    if (found.size > MOST_NAMES) break;
  }
  return {names: [...found].sort().slice(0, MOST_NAMES), areAll: false};
}
