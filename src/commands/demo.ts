import {BaseCommand} from '../lib/cli/base-command.js';
import {Sandbox} from '../lib/cli/demo/sandbox.js';
import {playTour} from '../lib/cli/demo/tour.js';
import {StreamClient} from '../lib/stream-client.js';

export default class Demo extends BaseCommand {
  static override summary = 'See Redis Streams at work: a tour with real workers on a private, temporary server.';
  static override description =
    'Shows each command as you would type it, and its output. Kills a worker half-way and then proves from the ' +
    'stream itself that every event was processed. Needs redis-server or valkey-server on the path. Uses no other ' +
    'server and leaves nothing behind.';
  static override examples = [
    {description: 'Take the tour', command: '<%= config.bin %> demo'},
    {description: 'Read it page by page', command: '<%= config.bin %> demo | less -R'},
  ];
  static override flags = {};

  async run(): Promise<void> {
    await this.parse(Demo);
    const sandbox = await Sandbox.open(this.out, this.display.colors, this.stopping);
    try {
      const client = await StreamClient.connect({url: sandbox.paths.url, connectTimeoutMs: 4_000});
      try {
        await playTour({sandbox, client, out: this.out, display: this.display});
      } finally {
        client.close();
      }
    } finally {
      sandbox.clear();
    }
  }
}
