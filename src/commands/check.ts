import type {Interfaces} from '@oclif/core';
import {Deadline} from '../lib/check/deadline.js';
import {type Outcome, outcomeOf, outcomeOfFailure} from '../lib/check/outcome.js';
import {type Answer, type Question, readFacts} from '../lib/check/reading.js';
import {checkReport, resultReport} from '../lib/check/report.js';
import {metricsOf, STATES} from '../lib/check/verdict.js';
import {BaseCommand} from '../lib/cli/base-command.js';
import {type CheckShape, checkFlags, checkOutputFlags, limitsOf} from '../lib/cli/check-flags.js';
import {connectionFlags, namedStreams} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {asFailure} from '../lib/cli/report-error.js';
import {limitLookups} from '../lib/cli/resolver-limit.js';
import {standardNotes} from '../lib/cli/standard-notes.js';
import {CHECK_RESULT, JSON_FIELDS} from '../lib/output/json-fields.js';
import {describeOutcome, renderCheck, renderForNagios} from '../lib/output/views/check-view.js';

export default class Check extends BaseCommand {
  static override summary = 'Compare figures with limits, for Nagios, cron and scripts (XINFO, XPENDING).';
  static override description =
    'Metrics of a group: lag behind pending oldest_pending oldest_idle deliveries consumers drain. Of a stream: length groups ' +
    'last_entry bytes dead_letters. Of the server: memory_used_percent evicted connect. Operators: > >= < <= = !=. The value is a number, a ' +
    'duration (30s, 5m) or a size (100MB). Without --group, all groups of the streams are checked. It prints one line, with the figures behind a |, ' +
    'and ends with the codes of Nagios, which are others than those of streamlog: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A Redis that cannot be reached is CRITICAL; ' +
    'wrong flags, a missing stream or group, and what only a bound is known of that proves nothing, are UNKNOWN.';
  static override examples = [
    {
      description: 'Warn where a group is behind, and wake somebody where it does not catch up',
      command: "<%= config.bin %> check orders --warn 'lag>1000' --critical 'behind>5m'",
    },
    {
      description: 'Check all streams of one kind',
      command: "<%= config.bin %> check --match 'order*' -w 'pending>=500' -c 'dead_letters>1000'",
    },
    {
      description: 'Name what is wrong, for a script',
      command: "<%= config.bin %> check -c 'consumers<1' -o json | jq -r '.results[] | select(.state != \"ok\").group'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = {...checkFlags, ...connectionFlags, ...checkOutputFlags};

  async run(): Promise<number> {
    let shape: CheckShape = 'nagios';
    try {
      const {flags, raw} = await this.parse(Check);
      shape = flags.json ? 'json' : (flags.output ?? shape);
      const limits = limitsOf(flags);
      const streams = namedStreams(flags, raw);
      const deadline = new Deadline(flags.timeout);
      limitLookups(flags.timeout);
      const answer = await deadline.of(this.#read(flags, {streams, metrics: metricsOf(limits)}, deadline));
      return await this.#print(shape, outcomeOf(answer, limits));
    } catch (error) {
      const failure = asFailure(error);
      if (failure === undefined || failure.kind === 'io') throw error;
      return this.#print(shape, outcomeOfFailure(failure));
    }
  }

  async #read(flags: CheckFlags, what: Pick<Question, 'streams' | 'metrics'>, deadline: Deadline): Promise<Answer> {
    const limited = {
      'connect-timeout': deadline.within(flags['connect-timeout']),
      silence: deadline.within(flags.silence),
    };
    try {
      const client = await this.connect({...flags, ...limited});
      deadline.connected();
      const answer = await readFacts(client, {...what, match: flags.match, group: flags.group});
      return {...answer, failures: await Promise.all(answer.failures.map((failure) => this.withNames(failure)))};
    } catch (error) {
      throw error instanceof Error ? await this.withNames(error) : error;
    }
  }

  /** A failure goes to standard output too, where monitoring looks. */
  async #print(shape: CheckShape, outcome: Outcome): Promise<number> {
    const {state, results, failure} = outcome;
    if (shape === 'nagios') await this.out.write(`${renderForNagios(outcome)}\n`);
    else if (shape === 'json')
      await this.report(
        {json: true, output: undefined},
        JSON_FIELDS.check,
        [checkReport(outcome, describeOutcome(outcome))],
        () => '',
      );
    else {
      const flags = {json: false, output: shape};
      await this.beginReport(flags, CHECK_RESULT);
      await this.report(flags, CHECK_RESULT, results.map(resultReport), (display) => renderCheck(results, display));
    }
    const isSaid = shape === 'nagios' || shape === 'json';
    if (failure !== undefined && (failure.excerpt !== undefined || !isSaid)) standardNotes().failure(failure);
    return STATES[state];
  }
}

type CheckFlags = Interfaces.InferredFlags<typeof Check.flags>;
