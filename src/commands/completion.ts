import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {outlineOf} from '../lib/cli/program-outline.js';
import {bashScript} from '../lib/completion/bash.js';
import {fishScript} from '../lib/completion/fish.js';
import {zshScript} from '../lib/completion/zsh.js';

const scripts = {bash: bashScript, fish: fishScript, zsh: zshScript};

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for bash, zsh or fish.';
  static override description =
    'It completes commands, flags and the values of those flags that know theirs. It holds all it needs, so completing ' +
    'neither starts this program nor asks Redis. To keep it, write it for bash to /etc/bash_completion.d/streamlog, for ' +
    'zsh to _streamlog in a directory of its fpath, for fish to ~/.config/fish/completions/streamlog.fish.';
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion zsh > _<%= config.bin %>',
    '<%= config.bin %> completion fish > <%= config.bin %>.fish',
  ];
  static override args = {
    shell: Args.option({options: ['bash', 'fish', 'zsh'] as const, ignoreStdin: true, description: 'which shell'})({
      required: true,
    }),
  };

  async run(): Promise<void> {
    const {args} = await this.parse(Completion);
    await this.out.write(scripts[args.shell](await outlineOf(this.config)));
  }
}
