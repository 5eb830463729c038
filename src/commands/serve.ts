import {once} from 'node:events';
import {Flags} from '@oclif/core';
import {addOptions} from '../lib/cli/add-options.js';
import {BaseCommand} from '../lib/cli/base-command.js';
import {connectionSettings} from '../lib/cli/connection-settings.js';
import {addFlags, commonFlags, connectionFlags, duration, size, wholeNumber} from '../lib/cli/flags.js';
import {readTlsPair, renewTlsOnHangup} from '../lib/cli/serve-tls.js';
import {serveTokens} from '../lib/cli/serve-tokens.js';
import {StreamlogError} from '../lib/errors.js';
import {compileGlob} from '../lib/glob.js';
import {hostGuard} from '../lib/http/host-guard.js';
import {Ingest} from '../lib/http/ingest.js';
import {parseListenAddress, parseSocketMode} from '../lib/http/listen-address.js';
import {HttpServer} from '../lib/http-server.js';
import {LiveClient} from '../lib/live-client.js';
import {StreamClient} from '../lib/stream-client.js';

const {quiet, verbose} = commonFlags;

export default class Serve extends BaseCommand {
  static override summary = 'Take entries over HTTP and add them to streams (XADD).';
  static override description =
    'POST /streams/NAME with a JSON object adds one entry; with a JSON array or application/x-ndjson, a batch. An answer ' +
    'of 201 comes only after Redis has confirmed. GET /livez and /readyz are for probes. While Redis is away, requests ' +
    'are answered with 503 at once. SIGTERM finishes what is in hand and ends with 0. All answers: docs/serve.md.';
  static override examples = [
    '<%= config.bin %> serve',
    '<%= config.bin %> serve --listen :8080 --token-file tokens --allow-stream "app-*" --maxlen 1000000 --approx',
    'curl -H "Content-Type: application/json" -d \'{"type":"login"}\' http://127.0.0.1:8080/streams/events',
  ];
  static override flags = {
    listen: Flags.string({
      default: '127.0.0.1:8080',
      helpValue: 'HOST:PORT',
      summary: 'where; port 0 takes a free one; a unix socket is unix:PATH',
    }),
    'socket-mode': Flags.string({
      default: '600',
      helpValue: 'MODE',
      summary: 'permissions of the unix socket; 660 lets its group in',
    }),
    'tls-cert': Flags.string({
      helpValue: 'PATH',
      dependsOn: ['tls-key'],
      summary: 'certificate in PEM, for https; SIGHUP reads it again',
    }),
    'tls-key': Flags.string({helpValue: 'PATH', dependsOn: ['tls-cert'], summary: 'its private key in PEM'}),
    'allow-host': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'HOST',
      summary: 'another name by which this server may be called; repeat it for several',
    }),
    'allow-stream': Flags.string({
      default: ['*'],
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'GLOB',
      summary: 'streams that may be added to, with * and ?; repeat it for several',
    }),
    token: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'TEXT',
      summary: 'bearer token to ask for; other users of this machine can see it, so better [env: STREAMLOG_TOKEN]',
    }),
    'token-file': Flags.string({
      helpValue: 'PATH',
      summary: 'file with the tokens, one a line [env: STREAMLOG_TOKEN_FILE]',
    }),
    'insecure-no-auth': Flags.boolean({summary: 'let other machines in without a token'}),
    'max-body': size({default: 1024 * 1024, summary: 'largest body'}),
    'max-records': wholeNumber({default: 10_000, min: 1, summary: 'most records in one batch'}),
    'max-inflight': wholeNumber({default: 1_000, min: 1, summary: 'most requests waiting for Redis; beyond, 503'}),
    drain: duration({default: 30_000, summary: 'how long the first SIGTERM or SIGINT waits for what is in hand'}),
    ...addFlags,
    ...connectionFlags,
    quiet,
    verbose,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Serve);
    const notes = this.notes(flags);
    const address = parseListenAddress(flags.listen);
    const tokens = serveTokens(flags, address);
    const tls = readTlsPair(flags);
    const socketMode = parseSocketMode(flags['socket-mode']);
    const guard = hostGuard({address, secured: tokens !== undefined, allowed: flags['allow-host'] ?? []});
    const globs = flags['allow-stream'].map(compileGlob);
    addOptions(flags, Date.now());

    const {stopping} = this;
    this.drainWithin(flags.drain);
    const settings = connectionSettings(flags);
    const live = await LiveClient.start({
      connect: () => StreamClient.connect(settings),
      onConnected: (place) => notes.note(`connected to Redis at ${place}`),
      onLost: (reason) => notes.warn(`${reason}; trying again`),
    });
    const ingest = new Ingest({
      live,
      tokens,
      isAllowed: (stream) => globs.some((matches) => matches(stream)),
      addOptions: () => addOptions(flags, Date.now()),
      maxBodyBytes: flags['max-body'],
      maxRecords: flags['max-records'],
      maxInFlight: flags['max-inflight'],
      onInternalFailure: (reason) => notes.warn(reason),
    });
    this.createPrivately();
    const server = await HttpServer.listen(address, {
      tls,
      socketMode,
      answer: async (request, state) => {
        guard(request);
        return ingest.answer(request, state);
      },
      onBug: (error) => notes.warn(`this is a bug in streamlog: ${error instanceof Error ? error.stack : error}`),
      onAnswered: flags.verbose ? (facts) => notes.event(facts) : undefined,
    });
    if (tls !== undefined) renewTlsOnHangup(flags, server, notes);
    notes.note(`listening on ${server.url}`);

    if (!stopping.aborted) await once(stopping, 'abort');
    notes.note('shutting down');
    await server.drain(flags.drain);
    const unanswered = ingest.inFlight;
    live.close();
    this.pardonSignal();
    if (unanswered > 0)
      throw new StreamlogError('incomplete', `Redis had not confirmed ${unanswered} requests when --drain was over`);
  }
}
