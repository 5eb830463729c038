/** The flags of `metrics`: what has series, and where they can be scraped. */
import {Flags} from '@oclif/core';
import {NAMES} from '../metrics/exposition.js';
import {interval, wholeNumber} from './flag-values.js';
import {commonFlags, GLOB_HELP, serviceConnectionFlags, someStreamsFlag} from './flags.js';
import {serveFlags} from './serve-flags.js';

const {quiet, verbose} = commonFlags;
const {'socket-mode': socketMode, 'tls-cert': cert, 'tls-key': key, token, 'token-file': file} = serveFlags;

export const CONSUMERS = ['auto', 'on', 'off'] as const;

/** Groups of which the consumers have series: those of at most so many. */
export const CONSUMERS_UP_TO = {auto: 50, on: 1_000, off: undefined} as const;

export const metricsFlags = {
  ...someStreamsFlag,
  match: Flags.string({helpValue: 'GLOB', summary: `only streams whose names match: ${GLOB_HELP}`}),
  listen: Flags.string({
    helpValue: 'HOST:PORT',
    summary: 'serve GET /metrics there, such as 127.0.0.1:9121; unix:PATH is a unix socket',
  }),
  every: interval({default: 15_000, summary: 'read this often, with --listen'}),
  discover: interval({default: 60_000, summary: 'look for new streams this often, with --listen'}),
  consumers: Flags.option({options: CONSUMERS, default: 'auto', helpValue: CONSUMERS.join('|')})({
    summary: 'series for each consumer; auto: in groups of at most 50',
  }),
  names: Flags.option({options: NAMES, default: 'both', helpValue: NAMES.join('|')})({
    summary: 'those of redis_exporter, those that it does not have, or both',
  }),
  'max-streams': wholeNumber({default: 1_000, min: 1, summary: 'read no more than N streams'}),
  'max-series': wholeNumber({default: 20_000, min: 1, summary: 'print no more than N series'}),
  'socket-mode': socketMode,
  'tls-cert': cert,
  'tls-key': key,
  'allow-host': serveFlags['allow-host'],
  token,
  'token-file': file,
  'insecure-no-auth': serveFlags['insecure-no-auth'],
  ...serviceConnectionFlags,
  quiet,
  verbose,
};
