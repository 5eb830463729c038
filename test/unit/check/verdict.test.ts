/** What a check comes to, and the line that Nagios reads. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parseCheckExpression} from '../../../src/lib/check/expression.js';
import {type CheckedFacts, checkFacts, type State, worstOf} from '../../../src/lib/check/verdict.js';
import type {GroupFacts, StreamFacts} from '../../../src/lib/observe/snapshot.js';
import {renderForNagios} from '../../../src/lib/output/views/check-view.js';
import {checkedServer, groupFacts, streamFacts} from './snapshots.js';

const parsed = (texts: readonly string[]) => texts.map(parseCheckExpression);

function check(
  facts: Partial<CheckedFacts> & {of?: readonly StreamFacts[]},
  limits: {critical?: string[]; warning?: string[]},
): {state: State; text: string} {
  const streams = facts.streams ?? (facts.of ?? [streamFacts()]).map((one) => ({stream: one.stream, facts: one}));
  const results = checkFacts(
    {server: checkedServer(), group: undefined, ...facts, streams},
    {critical: parsed(limits.critical ?? []), warning: parsed(limits.warning ?? [])},
  );
  const state = worstOf(results);
  return {state, text: renderForNagios({state, results})};
}

const withGroup = (facts: Partial<GroupFacts>, stream: Partial<StreamFacts> = {}) => ({
  of: [streamFacts({...stream, groups: [groupFacts(facts)]})],
});

describe('the state of a figure', () => {
  const bound = {lag: 50, lagExact: false, lagAtLeast: 10, lagAtMost: 90} as const;

  it.each([
    ['a lag below the limit', {lag: 5, lagAtLeast: 5, lagAtMost: 5}, 'lag>5', 'ok'],
    ['a lag above it', {lag: 6, lagAtLeast: 6, lagAtMost: 6}, 'lag>5', 'critical'],
    ['a bound that exceeds the limit', bound, 'lag>9', 'critical'],
    ['a bound that may exceed it', bound, 'lag>50', 'unknown'],
    ['a bound that cannot exceed it', bound, 'lag>90', 'ok'],
    ['a bound beside "less than"', bound, 'lag<10', 'ok'],
    ['a lag that is not known', {lag: null, lagAtLeast: null, lagAtMost: null}, 'lag<1', 'unknown'],
    ['an age that is not known', {behindMs: null}, 'behind>5m', 'unknown'],
    ['nothing pending', {pending: 0}, 'oldest_pending>1s', 'ok'],
    [
      'deliveries of some of many',
      {pending: 500, maxDeliveries: 3, maxDeliveriesExact: false},
      'deliveries>20',
      'unknown',
    ],
    [
      'deliveries that suffice',
      {pending: 500, maxDeliveries: 21, maxDeliveriesExact: false},
      'deliveries>20',
      'critical',
    ],
    ['an entry given back', {pending: 1, oldestPendingAgeMs: 5_000, oldestPendingIdleMs: null}, 'oldest_idle>6s', 'ok'],
    [
      'the same, older',
      {pending: 1, oldestPendingAgeMs: 5_000, oldestPendingIdleMs: null},
      'oldest_idle>4s',
      'unknown',
    ],
    ['a lag that grows', {trend: 'growing'}, 'drain>1d', 'critical'],
    ['a trend that is not known', {trend: 'unknown'}, 'drain>1d', 'unknown'],
    ['no lag at all', {trend: 'drained'}, 'drain>1s', 'ok'],
  ] as const)('%s', (_, facts, critical, state) => {
    expect(check(withGroup(facts), {critical: [critical]}).state).toBe(state);
  });

  it.each([
    ['an empty stream has no newest entry', {length: 0, lastId: null, lastAgeMs: null}, 'last_entry>1d', 'critical'],
    ['groups that may not be listed', {groups: null}, 'consumers<1', 'unknown'],
    ['dead letters that may not be counted', {deadLetters: null}, 'dead_letters>0', 'unknown'],
    ['memory that is not known', {bytes: null}, 'bytes>1MB', 'unknown'],
  ] as const)('%s', (_, facts, critical, state) => {
    expect(check({of: [streamFacts(facts)]}, {critical: [critical]}).state).toBe(state);
  });

  it('is that of the server', () => {
    expect(check({streams: []}, {critical: ['memory_used_percent>90']})).toEqual({
      state: 'critical',
      text: "CRITICAL - memory_used_percent 93% (critical >90) | 'memory_used_percent'=93%;;90;0;100",
    });
    const server = checkedServer({maxMemoryBytes: 0});
    expect(check({streams: [], server}, {critical: ['memory_used_percent>90']}).state).toBe('unknown');
  });

  it('of a stream that does not exist is known for what is 0 then', () => {
    const streams = [{stream: 'gone', facts: undefined}];
    expect(check({streams}, {critical: ['length<1']}).state).toBe('critical');
    expect(check({streams}, {critical: ['groups>0']}).state).toBe('ok');
    expect(check({streams}, {critical: ['bytes>1KB']}).state).toBe('unknown');
    expect(check({streams}, {critical: ['lag>1']}).state).toBe('unknown');
  });

  it('is never ok where nothing was looked at', () => {
    expect(check({streams: []}, {critical: ['lag>1']}).state).toBe('unknown');
  });

  it('is the worst, and what may be critical is not a mere warning', () => {
    const limits = {warning: ['lag>9'], critical: ['lag>50']};
    expect(check(withGroup({...bound}), limits).state).toBe('unknown');
    expect(check(withGroup({}), {warning: ['lag>5'], critical: ['lag>50']}).state).toBe('warning');
  });
});

describe('the line for Nagios', () => {
  it('says all of one group, and why', () => {
    const facts = withGroup({behindMs: 372_000, lag: 12_304, lagAtLeast: 12_304, lagAtMost: 12_304});
    const limits = {warning: ['lag>1000'], critical: ['behind>5m', 'consumers<1']};
    expect(check(facts, limits).text).toBe(
      'CRITICAL - orders/billing behind 6m 12s (critical >5m), lag 12304 (warn >1000) | ' +
        "'orders/billing behind'=372s;;300;0 'orders/billing lag'=12304;1000;;0 'orders/billing consumers'=3;;1:;0",
    );
    expect(check(withGroup({}), limits).text).toMatch(/^OK - orders\/billing lag 12, behind 500ms, consumers 3 \| /);
  });

  it('of many has the worst first, and a line for each', () => {
    const of = ['a', 'b', 'c'].map((stream, index) =>
      streamFacts({stream, groups: [groupFacts({lag: index, lagAtLeast: index, lagAtMost: index})]}),
    );
    const [first, ...others] = check({of}, {critical: ['lag>1'], warning: ['lag>0']}).text.split('\n');
    expect(first).toMatch(/^CRITICAL - c\/billing lag 2 \(critical >1\); and 1 more of 3 \| 'c\/billing lag'=2;0;1;0 /);
    expect(others).toEqual([
      'CRITICAL - c/billing lag 2 (critical >1)',
      'WARNING - b/billing lag 1 (warn >0)',
      'OK - a/billing lag 0',
    ]);
  });

  it('gives no figure for what is not exact', () => {
    const facts = withGroup({lag: 50, lagExact: false, lagAtLeast: 10, lagAtMost: 90});
    expect(check(facts, {critical: ['lag>50']}).text).toBe(
      "UNKNOWN - orders/billing lag between 10 and 90 (critical >50) | 'orders/billing lag'=U;;50;0",
    );
  });

  const PERFDATUM = /^'(?:[^'=|\n]|'')+'=(?:U|[0-9.]+(?:s|B|%)?)(?:;(?:@?[0-9.]*:?[0-9.]*)?){2};0(?:;100)?$/;

  it('keeps to its grammar and its room, whatever the names are', () => {
    const name = fc.oneof(
      fc.string({minLength: 1, unit: 'binary'}),
      fc.constant("a|b='c'\n\udc80\u202e"),
      fc.constant('x'.repeat(900)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, {minLength: 1, maxLength: 20}), (names) => {
        const of = names.map((stream) => streamFacts({stream, groups: [groupFacts({group: stream})]}));
        const {text} = check({of}, {critical: ['lag>1', 'behind>=1m', 'dead_letters!=0', 'bytes<=1KB']});
        const [first, ...others] = text.split('\n');
        const [said, perfdata, ...more] = first!.split('|');
        expect(more).toEqual([]);
        expect(said).toMatch(/^CRITICAL - [^|]+ $/);
        expect(Buffer.byteLength(perfdata!)).toBeLessThanOrEqual(4_096);
        for (const item of perfdata!.trim().split(/ (?=')(?<=[0-9:;%] )/)) expect(item).toMatch(PERFDATUM);
        for (const line of others) expect(line).toMatch(/^(CRITICAL|OK|UNKNOWN|WARNING) - [^|]+$/);
      }),
      {numRuns: 25},
    );
  });

  it('gives limits as ranges that mean the same to Nagios', () => {
    fc.assert(
      fc.property(fc.constantFrom('>', '>=', '<', '<=', '=', '!='), fc.nat(6), fc.nat(6), (operator, limit, lag) => {
        const facts = withGroup({lag, lagAtLeast: lag, lagAtMost: lag});
        const {state, text} = check(facts, {critical: [`lag${operator}${limit}`]});
        const range = text.split(';').at(-2)!;
        expect(alerts(range, lag)).toBe(state === 'critical');
      }),
    );
  });
});

/** As the guidelines have it: `10` is 0 to 10, `10:` from 10 on; outside of it is an alert, or inside with `@`. */
function alerts(range: string, value: number): boolean {
  const [, inside, low, end] = /^(@?)(?:(\d+):)?(\d*)$/.exec(range)!;
  const within = value >= Number(low ?? 0) && value <= (end === '' ? Number.POSITIVE_INFINITY : Number(end));
  return inside === '@' ? within : !within;
}
