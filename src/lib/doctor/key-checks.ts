/**
 * Keys that streamlog keeps beside a stream, and that were left there: what an import was making, and the state of a producer that has lost
 * its time to live. Invariant: a key that an import is at work on is none.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {ownerOfKey} from '../colocated-key.js';
import type {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {ServerFacts} from '../observe/snapshot.js';
import {pipelined} from '../pipelined.js';
import type {StreamClient} from '../stream-client.js';
import {printedName} from './commands.js';
import type {Check, Examination} from './examination.js';
import type {Sighting} from './finding.js';

/** Of the kinds `import` and `producer`: of requests there may be millions, and each has its end. */
const PATTERN = '*}:streamlog:[ip]*';
/** Keys that one SCAN looks at, which takes up to a millisecond, and how many follow one another. */
const KEYS_A_PAGE = 1_000;
const MOST_PAGES = 1_000;
/** Findings of one kind and stream; others are counted. */
const MOST_FOUND = 20;
/** An import that adds nothing for so long is not under way. */
const AT_REST_MS = 1_000;
/** How long the state of a producer is kept, unless it is used. */
const KEPT_SECONDS = 7 * 86_400;

interface OwnedKey {
  key: string;
  kind: string;
  stream: string;
}

export const leftOverKeys: Check<ServerFacts> = {
  ids: ['D16'],
  async run(_server, examination) {
    const owned = (await keysOf(examination)).filter(({stream}) => examination.isChosen(stream));
    const imports = await atRest(
      owned.filter(({kind}) => kind === 'import'),
      examination,
    );
    const producers = await withoutEnd(
      owned.filter(({kind}) => kind === 'producer'),
      examination,
    );
    return [
      ...limited(imports).map(([key, others]) => importLeft(key, others, examination)),
      ...limited(producers).map(([key, others]) => producerLeft(key, others, examination)),
    ];
  },
};

async function keysOf(examination: Examination): Promise<OwnedKey[]> {
  const {client, options} = examination;
  const onLost = (error: StreamlogError): void => examination.omit(['D16'], error.message);
  const found = new Map<string, OwnedKey>();
  let pages = 0;
  for await (const page of client.server.keyPages(KEYS_A_PAGE, PATTERN, onLost)) {
    for (const key of page) {
      const owner = ownerOfKey(key);
      if (owner !== undefined) found.set(key, {key, ...owner});
    }
    if (options.stopping.aborted) break;
    if (++pages < MOST_PAGES) continue;
    examination.omit(['D16'], `there are more than ${withCommas(MOST_PAGES * KEYS_A_PAGE)} keys`);
    break;
  }
  return [...found.values()];
}

async function withoutEnd(keys: readonly OwnedKey[], {client}: Examination): Promise<OwnedKey[]> {
  const left = await pipelined(keys, ({key}) => client.server.secondsLeft(key));
  return keys.filter((_, at) => left[at] === -1);
}

/** Those that nothing is added to: while an import is under way, something always is. */
async function atRest(keys: readonly OwnedKey[], {client, options}: Examination): Promise<OwnedKey[]> {
  if (keys.length === 0) return [];
  const read = (): Promise<string[]> => pipelined(keys, ({key}) => stateOf(client, key));
  const before = await read();
  await sleep(AT_REST_MS, undefined, {signal: options.stopping}).catch(() => {});
  const after = await read();
  const underWay = new Set(keys.filter((_, at) => before[at] !== after[at]).map(({key}) => importOf(key)));
  return keys.filter(({key}) => !underWay.has(importOf(key)));
}

/** An import has several keys, of which it is at work on one: they differ in the last part. */
const importOf = (key: string): string => key.slice(0, key.lastIndexOf(':'));

async function stateOf(client: StreamClient, key: string): Promise<string> {
  const [length, groups] = await Promise.all([client.length(key), client.groups(key)]);
  return JSON.stringify([
    length,
    groups.map(({pending, consumers, lastDeliveredId}) => [pending, consumers, lastDeliveredId]),
  ]);
}

/** For each stream the first ones, each with how many others there are. */
function limited(keys: readonly OwnedKey[]): [key: OwnedKey, others: number][] {
  const ofStream = new Map<string, OwnedKey[]>();
  for (const key of keys) ofStream.set(key.stream, [...(ofStream.get(key.stream) ?? []), key]);
  return [...ofStream.values()].flatMap((all) =>
    all.slice(0, MOST_FOUND).map((key): [OwnedKey, number] => [key, all.length - 1]),
  );
}

const importLeft = ({key, stream}: OwnedKey, others: number, {commands}: Examination): Sighting => ({
  id: 'D16',
  stream,
  seen: {key, kind: 'import', others},
  what: `${printedName(key)} holds an import that is not finished`,
  why: 'It takes memory and is never read. The same import, run again, goes on with it.',
  look: [commands.redisCliOfKey(key, ['memory', 'usage'])],
  mend: [commands.redisCliOfKey(key, ['unlink'])],
});

const producerLeft = ({key, stream}: OwnedKey, others: number, {commands}: Examination): Sighting => ({
  id: 'D16',
  stream,
  seen: {key, kind: 'producer', others},
  what: `${printedName(key)}, the state of a producer, has no time to live`,
  why: 'It stays for ever, whether or not that producer comes back. If it does, it gives the key its time again.',
  look: [commands.redisCliOfKey(key, ['hgetall'])],
  mend: [commands.redisCliOfKey(key, ['expire'], String(KEPT_SECONDS))],
});
