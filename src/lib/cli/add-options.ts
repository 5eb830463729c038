/** The values of `addFlags` → what one XADD is told. */
import {usageError} from '../errors.js';
import type {Position} from '../records/position.js';
import type {AddOptions, Trim} from '../stream-client.js';

export interface AddFlags {
  maxlen?: number;
  minid?: Position;
  'max-age'?: number;
  approx: boolean;
  'no-create': boolean;
}

/** Made anew for each add or batch, since `--max-age` means the age at that time. Throws a usage error. */
export function addOptions(flags: AddFlags, nowMs: number): AddOptions {
  return {create: !flags['no-create'], trim: trimOf(flags, nowMs)};
}

function trimOf({maxlen, minid, 'max-age': maxAgeMs, approx: approximate}: AddFlags, nowMs: number): Trim | undefined {
  if (maxlen !== undefined) return {kind: 'maxLen', maxLen: maxlen, approximate};
  if (maxAgeMs !== undefined) return {kind: 'minId', minId: `${Math.max(0, nowMs - maxAgeMs)}-0`, approximate};
  if (minid === undefined) {
    if (approximate)
      throw usageError('--approx says how to trim, but not to what', 'add --maxlen, --minid or --max-age');
    return undefined;
  }
  if (minid.kind === 'id') return {kind: 'minId', minId: minid.id, approximate};
  if (minid.kind === 'time') return {kind: 'minId', minId: `${minid.ms}-0`, approximate};
  throw usageError('--minid takes an ID or @TIME here');
}
