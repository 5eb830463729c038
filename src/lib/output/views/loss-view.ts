/** What is asked before entries are removed that groups still need, and what is said when they are gone. */
import type {NeededEntries} from '../../groups/needed-entries.js';
import {withCommas} from '../../number-text.js';
import type {GroupLoss} from '../../trimming/losses.js';
import type {TrimResult} from '../../trimming/trim-stream.js';
import {counted, listed, took} from '../sentences.js';

/** Of `count` entries: `2 groups still need some of them: billing (120 unread, 3 pending) and audit (5 unread)`. */
function describeNeeds(losses: readonly GroupLoss[], count: number): string {
  const groups = losses.map((loss) => `${loss.group} (${amounts(loss)})`);
  const need = losses.length === 1 ? '1 group still needs' : `${counted(losses.length, 'group')} still need`;
  return `${need} ${count === 1 ? 'it' : 'some of them'}: ${listed(groups)}`;
}

/** `plan` is undefined where the user may not look. */
export function askTrim(stream: string, plan: TrimResult | undefined): string {
  if (plan === undefined) return `the Redis user may not see what groups still need of ${stream}. Trim it?`;
  const {removed, left, exact, losses} = plan;
  return (
    `this removes ${exact === undefined ? '' : 'about '}${withCommas(removed)} of ` +
    `${counted(removed + left, 'entry')} of ${stream}; ${describeNeeds(losses, removed)}. Remove ${removed === 1 ? 'it' : 'them'}?`
  );
}

/** `needed` is undefined where the user may not look. */
export function askDelete(needed: readonly NeededEntries[] | undefined): string {
  if (needed === undefined) return 'the Redis user may not see whether a group still needs these entries. Delete them?';
  const each = needed.map(
    ({stream, entries, needs}) => `${counted(entries, 'entry')} of ${stream}; ${describeNeeds(needs, entries)}`,
  );
  const all = needed.reduce((sum, {entries}) => sum + entries, 0);
  return `this deletes ${each.join('. And ')}. Delete ${all === 1 ? 'it' : 'them'}?`;
}

/** `removed 990 entries of orders in 0.1 s; 10 are left` */
export const describeTrimmed = (stream: string, {removed, left}: TrimResult, ms: number): string =>
  `removed ${counted(removed, 'entry')} of ${stream} ${took(ms)}; ${left === 1 ? '1 is' : `${withCommas(left)} are`} left`;

function amounts({exact, unread, pending, unreadAtMost = unread, pendingAtMost = pending}: GroupLoss): string {
  const about = exact === undefined ? '' : 'up to ';
  const parts = [
    ...(unreadAtMost > 0 ? [`${about}${withCommas(unreadAtMost)} unread`] : []),
    ...(pendingAtMost > 0 ? [`${about}${withCommas(pendingAtMost)} pending`] : []),
  ];
  return parts.join(', ');
}
