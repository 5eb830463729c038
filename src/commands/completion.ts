import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {indexOf} from '../lib/cli/command-index.js';
import {duration} from '../lib/cli/flag-values.js';
import {LIMIT_MS} from '../lib/cli/live-completion.js';
import {outlineOf} from '../lib/cli/program-outline.js';
import {bashScript} from '../lib/completion/bash.js';
import {fishScript} from '../lib/completion/fish.js';
import {zshScript} from '../lib/completion/zsh.js';

const scripts = {bash: bashScript, fish: fishScript, zsh: zshScript};

export default class Completion extends BaseCommand {
  static override summary = 'Print a completion script for bash, zsh or fish.';
  static override description =
    'Completes commands, flags, and the values of flags that have a fixed set of them. Without --live, completing ' +
    'starts no program and sends nothing to Redis. With it, names are looked up on the server that the command would ' +
    'use, and kept for 30 s; no password is asked for. To install the script, write it to ' +
    '/etc/bash_completion.d/streamlog (bash), to _streamlog in a directory of your fpath (zsh), or to ' +
    '~/.config/fish/completions/streamlog.fish (fish).';
  static override examples = [
    {description: 'Use it in this shell', command: 'source <(<%= config.bin %> completion bash)'},
    {
      description: 'With the names of streams and groups',
      command: 'source <(<%= config.bin %> completion bash --live)',
    },
    {description: 'Install it for zsh', command: '<%= config.bin %> completion zsh > _<%= config.bin %>'},
    {description: 'Install it for fish', command: '<%= config.bin %> completion fish > <%= config.bin %>.fish'},
  ];
  static override args = {
    shell: Args.option({options: ['bash', 'fish', 'zsh'] as const, ignoreStdin: true, description: 'the shell'})({
      required: true,
    }),
  };

  static override flags = {
    live: Flags.boolean({summary: 'also complete names of streams, groups, consumers, contexts and IDs that exist'}),
    limit: duration({
      dependsOn: ['live'],
      defaultHelp: async () => '300ms',
      summary: 'give a look-up this long; without an answer by then, nothing is offered',
    }),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Completion);
    await this.out.write(
      scripts[args.shell](
        await outlineOf(indexOf(this.config), flags.live ? {limitMs: flags.limit ?? LIMIT_MS} : undefined),
      ),
    );
  }
}
