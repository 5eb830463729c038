/**
 * Builders for flags that hold a name, a number, a duration, a size, a position or a rate, each read and refused in one way
 * everywhere. Values leave here parsed.
 */
import {Flags} from '@oclif/core';
import {formatDuration, parseDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {nameFromText} from '../records/names.js';
import {type Position, parsePosition} from '../records/position.js';
import {parseStreamId} from '../records/stream-id.js';
import {formatSize, parseSize} from '../size.js';

/** The name of a stream, group or consumer, as text or as `{"$b64":"…"}`. */
export const name = Flags.custom<string>({
  helpValue: 'NAME',
  parse: async (text, _context, {name: flag}) => parseName(text, `--${flag}`),
});

/** Throws a usage error that begins with `label`, the flag or argument that takes this name. */
export function parseName(text: string, label: string): string {
  const parsed = nameFromText(text);
  if (parsed === undefined) throw usageError(`${label} takes a name; it is empty`);
  return parsed;
}

/** A whole number of at least `min`; nothing is clamped or rounded. */
export const wholeNumber = Flags.custom<number, {min?: number}>({
  helpValue: 'N',
  parse: async (text, _context, {min = 0, name}) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min)) throw usageError(`--${name} takes a whole number of at least ${min}, not "${text}"`);
    return value;
  },
});

/** Milliseconds. Help shows a default as people write it. */
export const duration = Flags.custom<number>({
  helpValue: 'TIME',
  defaultHelp: async ({options}) => shownDuration(options.default),
  parse: async (text, _context, {name}) => {
    const ms = parseDuration(text);
    if (ms === undefined)
      throw usageError(`--${name} takes a duration such as 500ms, 30s, 15m, 1h or 7d, not "${text}"`);
    return ms;
  },
});

/** Less would be one reading after the other, without a pause. */
const LEAST_INTERVAL_MS = 10;

/** Milliseconds between two readings of the server. */
export const interval = Flags.custom<number>({
  helpValue: 'TIME',
  defaultHelp: async ({options}) => shownDuration(options.default),
  parse: async (text, _context, {name}) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms < LEAST_INTERVAL_MS)
      throw usageError(
        `--${name} takes an interval of at least ${LEAST_INTERVAL_MS}ms, such as 1s or 15s, not "${text}"`,
      );
    return ms;
  },
});

/** Milliseconds, or `off`. */
export const durationOrOff = Flags.custom<number | 'off'>({
  helpValue: 'TIME|off',
  defaultHelp: async ({options}) => shownDuration(options.default),
  parse: async (text, _context, {name}) => {
    const ms = text === 'off' ? text : parseDuration(text);
    if (ms === undefined) throw usageError(`--${name} takes a duration such as 30s or 15m, or off, not "${text}"`);
    return ms;
  },
});

const shownDuration = (value: unknown): string | undefined =>
  typeof value === 'number' ? formatDuration(value).replace(' ', '') : undefined;

/** Bytes. Help shows a default as people write it. */
export const size = Flags.custom<number>({
  helpValue: 'SIZE',
  // `8.0 MB`, as one writes it: `8MB`.
  defaultHelp: async ({options}) =>
    typeof options.default === 'number' ? formatSize(options.default).replace(/(\.0)? /, '') : undefined,
  parse: async (text, _context, {name}) => {
    const bytes = parseSize(text);
    if (bytes === undefined) throw usageError(`--${name} takes a size such as 64KB, 100MB or 1GB, not "${text}"`);
    return bytes;
  },
});

/** Where to start. */
export const position = Flags.custom<Position>({
  helpValue: 'WHERE',
  parse: async (text) => parsePosition(text, Date.now()),
});

/** `*`, `ms-*` or a whole ID: what XADD takes. */
export const entryId = Flags.custom<string>({
  helpValue: 'ID',
  parse: async (text, _context, {name}) => {
    const anySequence = text.endsWith('-*') && parseStreamId(text.replace('-*', '-0')) !== undefined;
    const id = text === '*' || anySequence ? text : parseStreamId(text);
    if (id === undefined)
      throw usageError(`--${name} takes an ID such as 1526919030474-55 or 1526919030474-*, not "${text}"`);
    return id;
  },
});

/** Times a second; `200` and `200/s` are the same. */
export const rate = Flags.custom<number>({
  helpValue: 'N/s',
  parse: async (text, _context, {name}) => {
    const perSecond = /^\d{1,9}(\.\d+)?(\/s)?$/.test(text) ? Number(text.replace('/s', '')) : 0;
    if (perSecond <= 0) throw usageError(`--${name} takes a rate such as 200 or 0.5/s, not "${text}"`);
    return perSecond;
  },
});
