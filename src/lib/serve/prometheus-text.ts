/** The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What its samples share. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
}

/** What follows the name, and the value. */
export type Sample = readonly [suffix: string, value: number | string | bigint];

export const familyText = ({name, help, type}: Family, samples: readonly Sample[]): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map(([suffix, value]) => `${name}${suffix} ${value}\n`).join('')}`;
