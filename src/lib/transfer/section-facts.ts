/** What a section says of a stream beside its entries, compared with what Redis says of one. */
import type {GroupInfo, StreamInfo} from '../stream-client.js';
import type {Count, SectionHeader} from './section.js';

/** `lastGeneratedId` is undefined where the section does not say it. */
export type SectionFacts = Pick<SectionHeader, 'entriesAdded' | 'maxDeletedId' | 'groups'> & {
  readonly lastGeneratedId: string | undefined;
};

/**
 * What a stream has else than `facts` say, in words; undefined where it has the same. What the server or the section does
 * not know, and what no command can set, is not compared.
 */
export function factsDifference(
  {lastGeneratedId, entriesAdded, groups}: SectionFacts,
  info: StreamInfo,
  found: readonly GroupInfo[],
): string | undefined {
  if (lastGeneratedId !== undefined && info.lastGeneratedId !== lastGeneratedId)
    return `the last ID ${info.lastGeneratedId}, not ${lastGeneratedId}`;
  if (differ(info.entriesAdded, entriesAdded)) return `${info.entriesAdded} entries added, not ${entriesAdded}`;
  const byName = new Map(found.map((group) => [group.name, group]));
  if (found.length !== groups.length) return `${found.length} groups, not ${groups.length}`;
  for (const {name, lastDeliveredId, entriesRead, consumers} of groups) {
    const group = byName.get(name);
    if (group === undefined) return `no group "${name}"`;
    if (group.lastDeliveredId !== lastDeliveredId)
      return `group "${name}" at ${group.lastDeliveredId}, not at ${lastDeliveredId}`;
    if (!isOdd(entriesRead, entriesAdded) && differ(group.entriesRead, entriesRead))
      return `group "${name}" with ${group.entriesRead} entries read, not ${entriesRead}`;
    if (consumers !== undefined && group.consumers < consumers.length)
      return `group "${name}" with ${group.consumers} consumers, not ${consumers.length}`;
  }
  return undefined;
}

/** A count of entries read that not each server takes: one above all that were added, or one that has overflowed. */
const isOdd = (entriesRead: Count = 0, entriesAdded: Count = 0): boolean =>
  entriesRead > entriesAdded || entriesRead < 0;

/** As far as both are known: what Redis tells is a number, which may lack the last digits. */
const differ = (found: number | undefined, wanted: Count | undefined): boolean =>
  found !== undefined && wanted !== undefined && found !== Number(wanted);
