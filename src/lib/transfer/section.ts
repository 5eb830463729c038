/**
 * A section of an export file, format 1: a stream as NDJSON, in a header, a line for each entry in the order of their IDs,
 * and a trailer. An entry line is the record that `range` prints, and the `pending` entries of groups that it stands for.
 * Invariants: names are any bytes, counts have all digits; nothing says from which server, by which user it was taken.
 */
import type {Field} from '../records/entry.js';
import type {RawFields} from '../records/raw-fields.js';

/** The version of the format. A reader refuses a higher one, and ignores members that it does not know. */
export const FORMAT_VERSION = 1;

/** A bigint where a number would not hold all digits: Redis counts up to 2^63 - 1. */
export type Count = number | bigint;

/** What the stream was at T0, the moment that the section is of. */
export interface SectionHeader {
  readonly stream: string;
  /** T0 by the clock of the server, in ISO 8601. */
  readonly at: string;
  /** `redis 7.0.15`; undefined where it was not known. */
  readonly server?: string | undefined;
  /** Whether all of the stream was asked for, its groups included; not with a filter, a range or without groups. */
  readonly whole: boolean;
  /** Entries in the stream. */
  readonly length: number;
  /** Undefined where the stream was empty. */
  readonly firstId?: string | undefined;
  readonly lastGeneratedId: string;
  /** Undefined where the server does not count it, as `maxDeletedId` and `entriesRead`. */
  readonly entriesAdded?: Count | undefined;
  readonly maxDeletedId?: string | undefined;
  /** Of what was asked for, where that is not all entries: the first and the last ID. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only entries for which these conditions hold: flags and what was typed for them. */
  readonly filter?: readonly string[] | undefined;
  /** Only entries that are pending, and still in the stream. */
  readonly pendingOnly?: boolean | undefined;
  /** Names of the fields whose values are masked. */
  readonly masked?: readonly string[] | undefined;
  readonly groups: readonly SectionGroup[];
}

export interface SectionGroup {
  readonly name: string;
  readonly lastDeliveredId: string;
  /** Undefined, too, where Redis has lost count. */
  readonly entriesRead?: Count | undefined;
  /** Entries pending at T0; the section may have fewer of them. */
  readonly pending: number;
  /** By name. Undefined where there are too many to ask for: then pending entries name those that have some. */
  readonly consumers?: readonly string[] | undefined;
}

/** One pending entry of one group. */
export interface PendingMember {
  readonly group: string;
  /** Undefined for one that no consumer has (XNACK). */
  readonly consumer: string | undefined;
  /** Of its last delivery, by the clock of the server, in Unix milliseconds. */
  readonly deliveredAt: number;
  readonly deliveries: Count;
}

export interface SectionEntry {
  readonly id: string;
  readonly fields: readonly Field[];
  /** The same undecoded, where it was read so. */
  readonly raw?: RawFields;
  /** At most one of each group. */
  readonly pending: readonly PendingMember[];
}

/** An entry that is pending, and not in the stream any more: it was trimmed or deleted. */
export interface GoneEntry {
  readonly id: string;
  readonly pending: readonly PendingMember[];
}

/** A hash beside the stream: how far an idempotent producer has come, or what a request came to (docs/adr/0007). */
export interface SectionHash {
  readonly of: 'producer' | 'request';
  /** What its key has behind that of the stream: `colocatedKey(of, stream)`, a colon and this. */
  readonly key: string;
  /** Unix milliseconds; undefined for one that stays. */
  readonly expiresAt: number | undefined;
  readonly fields: readonly Field[];
}

export interface SectionTrailer {
  readonly entries: number;
  readonly gone: number;
  /** Members of `pending` in all lines. */
  readonly pending: number;
  /** Entries of T0 that were trimmed or deleted before they were read; 0 where that cannot be told. */
  readonly missing: number;
  /** Of all bytes of the section before the trailer, newlines included, in hexadecimal. */
  readonly sha256: string;
}
