import {once} from 'node:events';
import type {Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {CONSUMERS_UP_TO, metricsFlags} from '../lib/cli/metrics-flags.js';
import {hasTokenFile, readCertificate, reloadTokens, serveTokens} from '../lib/cli/serve-flags.js';
import {Reload} from '../lib/cli/serve-reload.js';
import {exposition} from '../lib/metrics/exposition.js';
import {LatestSnapshot} from '../lib/metrics/latest-snapshot.js';
import {MetricsRouter} from '../lib/metrics/metrics-router.js';
import {Collector, type CollectorOptions} from '../lib/observe/collector.js';
import type {Snapshot} from '../lib/observe/snapshot.js';
import {HttpServer} from '../lib/serve/http-server.js';
import {parseListenAddress, parseSocketMode} from '../lib/serve/listen.js';
import {hostGuard} from '../lib/serve/request-head.js';

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
      consumersUpTo: CONSUMERS_UP_TO[flags.consumers],
    };
    if (flags.listen !== undefined) return this.#serve(flags, flags.listen, options);
    const client = await this.connect(flags);
    const snapshot = await new Collector(options).readAll(client);
    await this.out.write(this.#renderer(flags, client.server.database)(snapshot));
  }

  #renderer({'max-series': maxSeries}: MetricsFlags, database: number): (snapshot: Snapshot | undefined) => string {
    return (snapshot) => exposition(snapshot, {version: this.config.version, database, maxSeries});
  }

  async #serve(flags: MetricsFlags, listen: string, options: CollectorOptions): Promise<void> {
    const notes = this.notes(flags);
    const reload = new Reload(notes);
    reload.install();
    const address = parseListenAddress(listen);
    const reading = this.fileReading(flags);
    const tokens = await serveTokens(flags, address, reading, (text) => notes.warn(text));
    const tls = await readCertificate(flags, reading);
    const guard = hostGuard({address, secured: tokens !== undefined, allowed: flags['allow-host'] ?? []});
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
    const render = (snapshot: Snapshot | undefined): string => this.#renderer(flags, database)(snapshot);
    const router = new MetricsRouter({guard, tokens, latest, render});
    this.createPrivately();
    const server = await HttpServer.listen(address, {
      tls,
      socketMode: parseSocketMode(flags['socket-mode']),
      answer: (state) => router.answer(state),
      onBug: (error) => notes.warn(`this is a bug in streamlog: ${error instanceof Error ? error.stack : error}`),
    });
    if (tls !== undefined)
      reload.add('certificate', async () => server.replaceTls((await readCertificate(flags, reading))!));
    if (tokens !== undefined && hasTokenFile(flags))
      reload.add('token file', () => reloadTokens(tokens, flags, reading));
    notes.note(`listening on ${server.url}`);
    await Promise.race([latest.run(), once(stopping, 'abort')]);
    await server.drain(DRAIN_MS);
    this.endAsIntended();
  }
}

type MetricsFlags = Interfaces.InferredFlags<typeof metricsFlags>;
