/** The few colours streamlog uses, named by what they mean. The only module that imports chalk. */
import {Chalk} from 'chalk';

export interface Colors {
  id(text: string): string;
  name(text: string): string;
  dim(text: string): string;
  heading(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  failure(text: string): string;
}

/** Colours that do something, or nothing when `enabled` is false. */
export function colors(enabled: boolean): Colors {
  const chalk = new Chalk({level: enabled ? 1 : 0});
  return {
    id: chalk.yellow,
    name: chalk.cyan,
    dim: chalk.dim,
    heading: chalk.bold,
    good: chalk.green,
    warning: chalk.yellow,
    failure: chalk.red,
  };
}
