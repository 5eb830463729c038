import {once} from 'node:events';
import type {Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {httpListener} from '../lib/cli/http-listener.js';
import {CONSUMERS_UP_TO, metricsFlags} from '../lib/cli/metrics-flags.js';
import {exposition} from '../lib/metrics/exposition.js';
import {LatestSnapshot} from '../lib/metrics/latest-snapshot.js';
import {MetricsRouter} from '../lib/metrics/metrics-router.js';
import {Collector, type CollectorOptions} from '../lib/observe/collector.js';
import type {Snapshot} from '../lib/observe/snapshot.js';

const DRAIN_MS = 5_000;

export default class Metrics extends BaseCommand {
  static override summary = 'Print figures of streams and groups for Prometheus, or serve them (XINFO, XPENDING).';
  static override description =
    'The names are those of redis_exporter, and streamlog_… for what it does not have. What is not known has no sample. Without --listen it prints once, ' +
    'for the textfile collector of node_exporter. With it, GET /metrics has what was read last, at most --every ago: a scrape asks Redis nothing. ' +
    'GET /livez and /readyz are for probes. While Redis is away, streamlog_up is 0, and nothing else is shown.';
  static override examples = [
    {description: 'Print them once', command: '<%= config.bin %> metrics'},
    {
      description: 'Write a file for node_exporter, whole or not at all',
      command: '<%= config.bin %> metrics > streams.tmp && mv streams.tmp streams.prom',
    },
    {
      description: 'Print what redis_exporter does not have, where it runs too',
      command: '<%= config.bin %> metrics --names streamlog',
    },
    {
      description: 'Serve them to a Prometheus on this machine',
      command: '<%= config.bin %> metrics --listen 127.0.0.1:9121',
    },
  ];
  static override flags = metricsFlags;

  async run(): Promise<void> {
    const {flags} = await this.parse(Metrics);
    const options: CollectorOptions = {
      streams: flags.stream,
      match: flags.match,
      everyMs: flags.every,
      againMs: flags.discover,
      maxStreams: flags['max-streams'],
      consumersUpTo: flags.names === 'streamlog' ? undefined : CONSUMERS_UP_TO[flags.consumers],
    };
    if (flags.listen !== undefined) return this.#serve(flags, flags.listen, options);
    const client = await this.connect(flags);
    const snapshot = await new Collector(options).readAll(client);
    await this.out.write(this.#render(flags, client.server.database, snapshot));
  }

  #render({'max-series': maxSeries, names}: MetricsFlags, database: number, snapshot: Snapshot | undefined): string {
    return exposition(snapshot, {version: this.config.version, database, maxSeries, names});
  }

  async #serve(flags: MetricsFlags, address: string, options: CollectorOptions): Promise<void> {
    const notes = this.notes(flags);
    const {tokens, guard, listen} = await httpListener({...flags, listen: address}, notes, this.fileReading(flags));
    const {stopping} = this;
    const connector = await this.connector(flags);
    let database = 0;
    const connect = async () => {
      const client = await connector();
      database = client.server.database;
      return client;
    };
    const latest = new LatestSnapshot({
      ...options,
      connect,
      stopping,
      retryForMs: Number.POSITIVE_INFINITY,
      onProblem: (line) => notes.warn(line),
    });
    const render = (snapshot: Snapshot | undefined): string => this.#render(flags, database, snapshot);
    const router = new MetricsRouter({guard, tokens, latest, render});
    const server = await listen({answer: (state) => router.answer(state)});
    await Promise.race([latest.run(), once(stopping, 'abort')]);
    await server.drain(DRAIN_MS);
    this.endAsIntended();
  }
}

type MetricsFlags = Interfaces.InferredFlags<typeof metricsFlags>;
