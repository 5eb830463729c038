import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {candidates, readRequest} from '../lib/cli/live-completion.js';

/** Called by the scripts of `completion --live`. Prints nothing where it does not know, and ends within 300 ms. */
export default class Complete extends BaseCommand {
  static override hidden = true;
  static override summary = 'Print the names that a word may be completed to (SCAN, XINFO).';
  static override examples = [
    {description: 'Name streams that begin with ord', command: '<%= config.bin %> __complete stream -- ord tail'},
    {description: 'Name groups of a stream', command: "<%= config.bin %> __complete group -- '' pending -s orders -g"},
  ];
  static override strict = false;

  async run(): Promise<void> {
    const request = readRequest(this.argv);
    if (request === undefined) return;
    const found = await candidates(request, indexOf(this.config));
    if (found.length > 0) await this.out.write(`${found.join('\n')}\n`);
  }
}
