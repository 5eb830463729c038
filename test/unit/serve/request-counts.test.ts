import fc from 'fast-check';
import {Counter, Histogram, Registry} from 'prom-client';
import {expect, it} from 'vitest';
import {Metrics} from '../../../src/lib/serve/metrics.js';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const request = fc.record({
  path: fc.constantFrom('/streams/a', '/livez', '/nowhere'),
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PATCH'),
  status: fc.constantFrom(200, 201, 400, 503),
  // Eighths of a second are summed exactly; a bound belongs to its own bucket.
  ms: fc.oneof(
    fc.nat(100).map((n) => 125 * n),
    fc.constantFrom(1, 2.5, 10_000),
  ),
});

/** The lines of one metric, without their order. */
const linesOf = (text: string, name: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.includes(name))
    .sort();

it('requests are shown as the library would have, had it been told of each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, {maxLength: 30}), async (requests) => {
      const registry = new Registry();
      const registers = [registry];
      const [total, seconds] = ['streamlog_http_requests_total', 'streamlog_http_request_duration_seconds'];
      const counter = new Counter({
        name: total,
        help: 'Requests that were answered.',
        labelNames: ['route', 'method', 'status'],
        registers,
      });
      const histogram = new Histogram({
        name: seconds,
        help: 'From the header of a request to the end of its answer; without event streams.',
        labelNames: ['route'],
        buckets: BUCKETS,
        registers,
      });
      const metrics = new Metrics('1');
      for (const {path, method, status, ms} of requests) {
        const route = path === '/streams/a' ? '/streams/{name}' : path === '/livez' ? path : 'other';
        counter.inc({route, method: method === 'PATCH' ? 'other' : method, status});
        histogram.observe({route}, ms / 1_000);
        metrics.countRequest({path, method, status, ms, added: 0, client: undefined, error: undefined});
      }
      const expected = await registry.metrics();
      const shown = metrics.answer().body as string;
      for (const name of [total, seconds]) expect(linesOf(shown, name)).toEqual(linesOf(expected, name));
    }),
    {numRuns: 50},
  );
});
