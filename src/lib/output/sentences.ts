/** Parts of the sentences that people read: counted things, lists of names, and how long something took. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';

/** `1 entry`, `3 entries`, `12,345 entries`; with one that cannot be counted by an s, give its `plural`. */
export function counted(count: number, one: string, plural = pluralOf(one)): string {
  return `${withCommas(count)} ${count === 1 ? one : plural}`;
}

/** The same, and undefined for none. */
export const countedOrNone = (count: number, one: string): string | undefined =>
  count === 0 ? undefined : counted(count, one);

const pluralOf = (one: string): string => (/[^aeiou]y$/.test(one) ? `${one.slice(0, -1)}ies` : `${one}s`);

/** `a`, `a and b`, `a, b and c`, and of more than `most`: `a, b and 7 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.length <= most ? names : names.slice(0, most - 1);
  const more = names.length - shown.length;
  const all = more === 0 ? shown : [...shown, `${withCommas(more)} more`];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

/** `copied 1,204 entries, 38,000/s`, while it goes on. With `follow`, what it does a second in all its time says nothing. */
export function progressText(done: string, entries: number, ms: number, follow: boolean): string {
  const perSec = Math.round((entries * 1_000) / Math.max(1, ms));
  return `${done} ${counted(entries, 'entry')}${follow ? '' : `, ${withCommas(perSec)}/s`}`;
}

/** `in 0.1 s`, `in 42 s`, `in 3m 20s`. */
export function took(ms: number): string {
  if (ms < 10_000) return `in ${(Math.max(10, ms) / 1_000).toFixed(ms < 95 ? 2 : 1)} s`;
  return `in ${ms < 60_000 ? `${Math.round(ms / 1_000)} s` : formatDuration(ms)}`;
}
