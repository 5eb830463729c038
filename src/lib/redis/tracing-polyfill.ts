/**
 * Imported for its effect. ioredis traces each command, with its arguments as strings, unless
 * `TracingChannel.hasSubscribers` is false (https://github.com/redis/ioredis/blob/main/lib/tracing.ts). Bun
 * (https://bun.sh/docs/runtime/nodejs-compat) and early Node 20 lack that property:
 * https://nodejs.org/api/diagnostics_channel.html#tracingchannelhassubscribers
 */
import {type Channel, tracingChannel} from 'node:diagnostics_channel';

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const prototype: object = Object.getPrototypeOf(tracingChannel('streamlog'));

if (!('hasSubscribers' in prototype)) {
  Object.defineProperty(prototype, 'hasSubscribers', {
    configurable: true,
    get(this: Record<(typeof EVENTS)[number], Channel>): boolean {
      return EVENTS.some((event) => this[event].hasSubscribers);
    },
  });
}
