import {Args} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags} from '../../lib/cli/flags.js';
import {isFailure} from '../../lib/errors.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class ContextTest extends BaseCommand {
  static override summary = 'Connect to the server of a context (PING), and say what answers.';
  static override description =
    'Without NAME, to the server that commands use here. The exit code says what is wrong: 69 if it cannot be reached, 77 if it ' +
    'refuses the password, 78 if the configuration is wrong.';
  static override examples = [
    {description: 'Test the server that commands use here', command: '<%= config.bin %> context test'},
    {description: 'Test a context', command: '<%= config.bin %> context test prod'},
  ];
  static override args = {
    name: Args.string({ignoreStdin: true, description: 'the context'}),
  };
  static override flags = {...connectionFlags, ...commonFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(ContextTest);
    const chosen = args.name === undefined ? flags : {...flags, url: undefined, context: args.name};
    const startMs = performance.now();
    const {server} = await this.connect(chosen);
    const connectedMs = performance.now();
    // A user who may not ask is one whom the server knows.
    const isPinged = await server.ping().then(
      () => true,
      (error: unknown) => {
        if (!isFailure(error, 'denied')) throw error;
        return false;
      },
    );
    const pingedMs = performance.now();
    const round = (ms: number): number => Math.round(ms * 100) / 100;
    const facts = {
      context: this.contextUsed(chosen)?.name ?? null,
      address: server.address,
      source: server.source ?? '',
      server: (await server.identity()) ?? null,
      connectMs: round(connectedMs - startMs),
      pingMs: isPinged ? round(pingedMs - connectedMs) : null,
    };
    await this.report(flags, JSON_FIELDS['context test'], [facts], (display) =>
      renderFacts(
        [
          ['server', `${facts.address} (${facts.source})`],
          ['answers', facts.server ?? 'yes; it may not be asked what it is'],
          ['connected in', `${facts.connectMs} ms`],
          ['PING', facts.pingMs === null ? 'not allowed' : `${facts.pingMs} ms`],
        ],
        display,
      ),
    );
  }
}
