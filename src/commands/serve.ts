import {once} from 'node:events';
import {BaseCommand} from '../lib/cli/base-command.js';
import {httpListener} from '../lib/cli/http-listener.js';
import {addOptions} from '../lib/cli/produce-flags.js';
import {matchesAny, serveFlags} from '../lib/cli/serve-flags.js';
import {accessLog} from '../lib/serve/access-log.js';
import {App} from '../lib/serve/app.js';

const HEARTBEAT_MS = 15_000;

export default class Serve extends BaseCommand {
  static override writes = true;
  static override summary = 'Accept entries over HTTP and add them to streams (XADD).';
  static override description =
    'POST /streams/NAME with a JSON object adds one entry; with a JSON array or application/x-ndjson, a batch. ' +
    'The response is 201 only after Redis has confirmed. GET /streams/NAME/entries sends entries as they come ' +
    '(server-sent events), where --allow-read permits it. GET /livez and /readyz are for probes, /metrics is for ' +
    'Prometheus, and /openapi.json describes the API. While Redis is away, requests get 503 at once. SIGTERM ' +
    'finishes requests in progress and exits with 0.';
  static override examples = [
    {description: 'Serve this machine', command: '<%= config.bin %> serve'},
    {
      description: 'Serve the network, with tokens, to streams whose names begin with app-',
      command:
        '<%= config.bin %> serve --listen :8080 --token-file tokens --allow-stream "app-*" --maxlen 1000000 --approx',
    },
    {
      description: 'Let clients read, limit their rate and log requests',
      command: '<%= config.bin %> serve --allow-read "app-*" --rate-limit 100/s --log-format json',
    },
    {
      description: 'Add an entry over HTTP',
      command: 'curl -H "Content-Type: application/json" -d \'{"type":"login"}\' http://127.0.0.1:8080/streams/events',
    },
  ];
  static override flags = serveFlags;

  async run(): Promise<void> {
    const {flags} = await this.parse(Serve);
    const notes = this.notes(flags);
    const {tokens, guard, listen} = await httpListener(flags, notes, this.fileReading(flags));
    const {stopping} = this;
    this.drainWithin(flags.drain);
    const app = await App.start({
      connect: await this.connector(flags),
      holdMs: flags.hold,
      guard,
      tokens,
      isAllowed: matchesAny(flags['allow-stream']),
      isReadable: matchesAny(flags['allow-read']),
      addOptions: addOptions(flags),
      maxBodyBytes: flags['max-body'],
      maxRecords: flags['max-records'],
      nullText: flags.null,
      maxInFlight: flags['max-inflight'],
      requestsPerSecond: flags['rate-limit'],
      timeoutMs: flags.timeout,
      keySeconds: Math.max(1, Math.ceil(flags['idempotency-ttl'] / 1_000)),
      maxReaders: flags['max-readers'],
      heartbeatMs: HEARTBEAT_MS,
      stopping,
      version: this.config.version,
      note: (text) => notes.note(text),
      warn: (text) => notes.warn(text),
    });
    const log = accessLog(flags['log-format'], notes);
    const server = await listen({
      answer: (state) => app.router.answer(state),
      onAnswered: (facts) => {
        app.count(facts);
        log?.add(facts);
      },
    });
    app.watch(server.connections, log);

    if (!stopping.aborted) await once(stopping, 'abort');
    notes.note('shutting down');
    const endMs = performance.now() + flags.drain;
    await server.drain(flags.drain);
    log?.flush();
    const failure = await app.end(endMs - performance.now(), this.mayFailOver(flags));
    this.endAsIntended();
    if (failure !== undefined) throw failure;
  }
}
