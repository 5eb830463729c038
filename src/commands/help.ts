import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {helpText} from '../lib/cli/help.js';
import {textWidth} from '../lib/cli/standard-display.js';

export default class Help extends BaseCommand {
  static override summary = 'Show the help for a command, or a page of the documentation.';
  static override description =
    'streamlog help COMMAND is the same as streamlog COMMAND --help. Without arguments, lists commands and topics.';
  static override examples = [
    {description: 'List the commands', command: '<%= config.bin %> help'},
    {description: 'Show the help for a command', command: '<%= config.bin %> help group create'},
    {description: 'Read about handlers, retries and dead letters', command: '<%= config.bin %> help delivery | less'},
  ];
  static override usage = 'help [COMMAND|TOPIC]';
  static override args = {
    subject: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'a command, such as group create, or a topic',
    }),
  };
  static override flags = {};

  async run(): Promise<void> {
    const {args} = await this.parse(Help);
    const style = {width: textWidth(), colors: this.display.colors};
    await this.out.write(await helpText(args.subject ?? [], indexOf(this.config), style));
  }
}
