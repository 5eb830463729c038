import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {helpText} from '../lib/cli/help.js';

export default class Help extends BaseCommand {
  static override summary = 'Show the help for a command.';
  static override description = 'The same as --help behind a command. Without a command, lists them all.';
  static override examples = [
    {description: 'List the commands', command: '<%= config.bin %> help'},
    {description: 'Show what a command takes', command: '<%= config.bin %> help group create'},
  ];
  static override usage = 'help [COMMAND]';
  static override args = {
    command: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'a command, such as produce or group create',
    }),
  };
  static override flags = {};

  async run(): Promise<void> {
    const {args} = await this.parse(Help);
    const style = {width: this.textWidth, colors: this.colors};
    await this.out.write(await helpText(args.command ?? [], indexOf(this.config), style));
  }
}
