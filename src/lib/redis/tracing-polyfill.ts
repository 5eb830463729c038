/**
 * Imported for its effect. ioredis asks a tracing channel whether anybody listens,
 * and traces every command where it gets no answer, with all arguments as texts.
 * Bun's channels, and those of early Node 20, have none: here they learn to answer
 * as nodejs.org/api/diagnostics_channel.html has it.
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
