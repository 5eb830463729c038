/** The colours of streamlog, named by what they mean. */
import {Chalk} from 'chalk';

export interface Colors {
  id(text: string): string;
  name(text: string): string;
  dim(text: string): string;
  heading(text: string): string;
  /** Of the row that keys are for. */
  selected(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  failure(text: string): string;
  /** On a background of this colour, which has one of chalk's names (https://github.com/chalk/chalk#colors). */
  banner(text: string, color: string): string;
}

/** Functions that colour a text, or return it as it is if not `enabled`. */
export function colors(enabled: boolean): Colors {
  const chalk = new Chalk({level: enabled ? 1 : 0});
  return {
    id: chalk.yellow,
    name: chalk.cyan,
    dim: chalk.dim,
    heading: chalk.bold,
    selected: chalk.inverse,
    good: chalk.green,
    warning: chalk.yellow,
    failure: chalk.red,
    banner: (text, color) => chalk[color as 'red'].inverse.bold(text),
  };
}
