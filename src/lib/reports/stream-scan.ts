/**
 * All streams of a server with their groups, for `ls` and `group list`: SCAN, and what XINFO says of each. Invariants: what
 * cannot be read is counted, and ends nothing; what is read does not grow with the size of entries.
 */
import {isFailure, isRefusal, NOT_ALLOWED} from '../errors.js';
import {pipelined} from '../pipelined.js';
import type {BriefInfo, GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import type {StreamEnds} from './entries-behind.js';
import type {Omissions} from './omissions.js';

export interface ScannedStream {
  name: string;
  length: number;
  /** Undefined where the user may not ask for them. */
  groups: GroupInfo[] | undefined;
  groupCount: number;
  /** Undefined where entries are too large to be read for a list. */
  ends: StreamEnds | undefined;
}

export interface ScanOptions {
  /** A glob. */
  match?: string | undefined;
  omissions: Omissions;
}

/** Streams at a time whose first and last entries come along. */
const WITH_PAYLOADS = 20;

/** Page by page in no order. While keys move in Redis a name may come twice, as SCAN has it. */
export async function* scannedStreams(
  client: StreamClient,
  {match, omissions}: ScanOptions,
): AsyncGenerator<ScannedStream[], void, void> {
  const looking = new Looking(client);
  const look = async (name: string): Promise<ScannedStream | undefined> => {
    try {
      return await looking.at(name);
    } catch (error) {
      omissions.omit(error, client.server.isCluster);
      return undefined;
    }
  };
  for await (const names of client.server.streams(match, (error) => omissions.lost(error))) {
    // One before the others: it may show that the script has to be sent, or may not be run.
    const [first, ...others] = names;
    const window = async (): Promise<(ScannedStream | undefined)[]> => [
      await look(first!),
      ...(await (looking.readsPayloads ? pipelined(others, look, WITH_PAYLOADS) : pipelined(others, look))),
    ];
    yield (await window()).filter((stream) => stream !== undefined);
  }
}

/** Looks at streams by script, which reads no entry, and where the user may not run one by XINFO. */
class Looking {
  readonly #client: StreamClient;
  #mayRunScripts = true;
  #mayListGroups = true;

  constructor(client: StreamClient) {
    this.#client = client;
  }

  get readsPayloads(): boolean {
    return !this.#mayRunScripts;
  }

  async at(name: string): Promise<ScannedStream> {
    if (!this.#mayRunScripts) return this.#byInfo(name);
    try {
      return fromBrief(name, await this.#client.scripts.briefInfo(name));
    } catch (error) {
      if (!isRefusal(error, NOT_ALLOWED)) throw error;
      const stream = await this.#byInfo(name);
      // The stream may be looked at, so it was the script that was refused.
      this.#mayRunScripts = false;
      return stream;
    }
  }

  async #byInfo(name: string): Promise<ScannedStream> {
    const info = await this.#client.info(name);
    return {name, length: info.length, groups: await this.#groups(name, info), groupCount: info.groups, ends: info};
  }

  async #groups(name: string, {groups}: StreamInfo): Promise<GroupInfo[] | undefined> {
    if (groups === 0) return [];
    if (!this.#mayListGroups) return undefined;
    try {
      return await this.#client.groups(name);
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      this.#mayListGroups = false;
      return undefined;
    }
  }
}

function fromBrief(name: string, {groups, firstId, lastId, ...brief}: BriefInfo): ScannedStream {
  const {length} = brief;
  const entry = (id: string | undefined) => (id === undefined ? undefined : {id, fields: []});
  const isKnown = length === 0 || lastId !== undefined;
  const ends = isKnown ? {...brief, firstEntry: entry(firstId), lastEntry: entry(lastId)} : undefined;
  return {name, length, groups, groupCount: groups.length, ends};
}
