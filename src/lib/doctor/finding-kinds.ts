/** All kinds of findings, as `doctor --list` prints them. Invariant: a threshold stands only in a table of limits, which the text is made of. */
import type {Level} from './finding.js';
import {SERVER_FINDINGS} from './server-findings.js';
import {STREAM_FINDINGS} from './stream-findings.js';

export interface FindingKind {
  level: Level;
  /** One or two words. */
  name: string;
  /** When it is found, with its thresholds. */
  when: string;
  /** Commands of Redis that show it. */
  asks: string;
  /** Findings that are why, where the same stream or group has them: then this one says nothing new. */
  explainedBy?: readonly string[];
}

export const FINDING_KINDS = {...STREAM_FINDINGS, ...SERVER_FINDINGS};
export type FindingId = keyof typeof FINDING_KINDS;
export const FINDING_IDS = Object.keys(FINDING_KINDS) as FindingId[];
