/**
 * What `doctor` finds: something that hurts or will, with the figures that show it and the commands to type. The names are those of
 * the JSON output, a contract. Invariant: no data of entries is in a
 * finding but in `entries`, which have to be asked for.
 */
import type {Name} from '../observe/snapshot.js';
import type {Entry} from '../records/entry.js';
import type {Command} from './commands.js';
import type {FindingId} from './finding-kinds.js';

/** From the least to the worst. */
export const LEVELS = ['note', 'warn', 'bad'] as const;
export type Level = (typeof LEVELS)[number];

/** What was seen, by name: figures, IDs and names. Null is what is not known. */
export type Figures = Readonly<Record<string, number | bigint | string | boolean | null | readonly string[]>>;

export interface Finding {
  id: FindingId;
  level: Level;
  /** One or two words, such as `poison`. */
  name: string;
  /** Null where it is about the server. */
  stream: Name | null;
  /** Null where it is about a stream, or the server. */
  group: Name | null;
  seen: Figures;
  /** The same as a sentence without its subject and without a full stop; names in it are `printedName`s. */
  what: string;
  /** Why it hurts: one short sentence or two. */
  why: string;
  /** Commands that show more. */
  look: readonly Command[];
  /** Commands of which each one mends it; none where nothing can be done any more. */
  mend: readonly Command[];
  /** Some that it is about; only where payloads are asked for. */
  entries?: readonly Entry[];
}

/** What a check reports. The level and the name are those of its kind; the stream and the group those that were looked at, unless it names others. */
export type Sighting = Omit<Finding, 'level' | 'name' | 'stream' | 'group'> &
  Partial<Pick<Finding, 'stream' | 'group'>>;

export const isAtLeast = (level: Level, least: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(least);
