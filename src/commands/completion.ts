import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {outlineOf} from '../lib/cli/program-outline.js';
import {bashScript} from '../lib/completion/bash.js';
import {fishScript} from '../lib/completion/fish.js';
import {zshScript} from '../lib/completion/zsh.js';

const scripts = {bash: bashScript, fish: fishScript, zsh: zshScript};

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for bash, zsh or fish.';
  static override description =
    'Completes commands, flags, and the values of flags that have a fixed set of them. The script is ' +
    'self-contained: completing starts no program and sends nothing to Redis. To install it, write it to ' +
    '/etc/bash_completion.d/streamlog (bash), to _streamlog in a directory of your fpath (zsh), or to ' +
    '~/.config/fish/completions/streamlog.fish (fish).';
  static override examples = [
    {description: 'Use it in this shell', command: 'source <(<%= config.bin %> completion bash)'},
    {description: 'Install it for zsh', command: '<%= config.bin %> completion zsh > _<%= config.bin %>'},
    {description: 'Install it for fish', command: '<%= config.bin %> completion fish > <%= config.bin %>.fish'},
  ];
  static override args = {
    shell: Args.option({options: ['bash', 'fish', 'zsh'] as const, ignoreStdin: true, description: 'the shell'})({
      required: true,
    }),
  };

  async run(): Promise<void> {
    const {args} = await this.parse(Completion);
    await this.out.write(scripts[args.shell](await outlineOf(indexOf(this.config))));
  }
}
