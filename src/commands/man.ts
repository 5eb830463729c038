import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {manPage} from '../lib/cli/man-page.js';
import {unknownCommand} from '../lib/cli/unknown-command.js';

export default class Man extends BaseCommand {
  static override summary = 'Print the manual page of a command, for man(1).';
  static override description =
    'Prints roff. Without arguments, the page of the program, which lists all commands. The build writes the same ' +
    'pages to dist/man.';
  static override examples = [
    {description: 'Print the page of the program', command: '<%= config.bin %> man > <%= config.bin %>.1'},
    {description: 'Read the page of a command', command: '<%= config.bin %> man group create | man -l -'},
  ];
  static override usage = 'man [COMMAND]';
  static override args = {
    command: Args.string({ignoreStdin: true, multiple: true, description: 'a command, such as group create'}),
  };
  static override flags = {};

  async run(): Promise<void> {
    const {args} = await this.parse(Man);
    const words = args.command ?? [];
    const index = indexOf(this.config);
    const page = await manPage(words, index);
    if (page === undefined) throw unknownCommand(words, index);
    await this.out.write(page.roff);
  }
}
