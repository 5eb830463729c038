/** What is asked before entries are removed that groups still need, and what is said when they are gone. */
import type {NeededEntries} from '../../groups/needed-entries.js';
import {withCommas} from '../../number-text.js';
import {formatSize} from '../../size.js';
import type {GroupLoss} from '../../trimming/losses.js';
import type {TrimBound, TrimGoal, TrimResult} from '../../trimming/trim-stream.js';
import type {Display} from '../display.js';
import {counted, listed, took} from '../sentences.js';
import {renderFacts} from '../table.js';

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

/** What is lost by a trim, or would be, and what it did not reach: a line each. `agreed` is how far a person was asked about. */
export function trimWarnings(
  {losses, heldBy, bytes}: TrimResult,
  {goal, dryRun, agreed}: {goal: TrimGoal; dryRun: boolean; agreed: TrimBound | undefined},
): string[] {
  const isHeld = heldBy !== undefined || agreed !== undefined;
  const isShort = goal.kind === 'maxBytes' && bytes !== undefined && bytes > goal.maxBytes && !isHeld;
  return [
    ...losses.map((loss) => describeLoss(loss, dryRun)),
    ...(isShort ? [`the stream still takes ${formatSize(bytes)}: the rest is not used by entries`] : []),
  ];
}

/** Why more is left than the goal says, a line each. */
export function trimNotes(
  {heldBy, left}: TrimResult,
  {goal, approximate, agreed}: {goal: TrimGoal; approximate: boolean; agreed: TrimBound | undefined},
): string[] {
  const hasMore = agreed !== undefined && goal.kind === 'maxLen' && !approximate && left > goal.maxLen;
  return [
    ...(heldBy === undefined
      ? []
      : [`kept everything from ${heldBy.fromId} on: group "${heldBy.group}" has not read and acknowledged it`]),
    ...(hasMore ? ['kept what was added since you were asked'] : []),
  ];
}

export const renderTrimmed = (stream: string, dryRun: boolean, result: TrimResult, display: Display): string => {
  const about = result.exact === undefined ? '' : '~';
  return renderFacts(
    [
      ['stream', stream],
      [dryRun ? 'would remove' : 'removed', `${about}${display.count(result.removed)}`],
      ['left', `${about}${display.count(result.left)}`],
      ...(result.bytes === undefined ? [] : [['takes', formatSize(result.bytes)] as const]),
    ],
    display,
  );
};

function describeLoss(loss: GroupLoss, dryRun: boolean): string {
  const {group, exact, unread, pending, unreadAtMost = unread, pendingAtMost = pending} = loss;
  const unreadText = exact === undefined ? String(unread) : estimate(unread, unreadAtMost);
  const pendingText = exact === undefined ? String(pending) : estimate(pending, pendingAtMost);
  const removed = dryRun ? 'would be removed' : 'were removed';
  return `${unreadText} unread and ${pendingText} pending entries of group "${group}" ${removed}; --safe keeps them`;
}

function estimate(count: number, atMost: number): string {
  if (atMost === 0) return '0';
  return count === atMost ? `up to ${atMost}` : `about ${count} (up to ${atMost})`;
}

function amounts({exact, unread, pending, unreadAtMost = unread, pendingAtMost = pending}: GroupLoss): string {
  const about = exact === undefined ? '' : 'up to ';
  const parts = [
    ...(unreadAtMost > 0 ? [`${about}${withCommas(unreadAtMost)} unread`] : []),
    ...(pendingAtMost > 0 ? [`${about}${withCommas(pendingAtMost)} pending`] : []),
  ];
  return parts.join(', ');
}
