import {BaseCommand} from '../lib/cli/base-command.js';

export default class Version extends BaseCommand {
  static override summary = 'Print the version.';
  static override description = 'The same as streamlog --version. Names the system and the runtime too.';
  static override examples = [
    {description: 'Print it', command: '<%= config.bin %> version'},
    {description: 'Print the number alone', command: "<%= config.bin %> version | sed 's,.*/\\([0-9.]*\\) .*,\\1,'"},
  ];
  static override flags = {};

  async run(): Promise<void> {
    await this.parse(Version);
    await this.out.write(`${this.config.userAgent}\n`);
  }
}
