import {describe, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {ReconnectingClient} from '../../src/lib/reconnecting-client.js';

/** A link whose pauses are announced, and cut short, since the work is to end. */
function brokenLink(): {fail: (what: string) => Promise<number>; redis: ReconnectingClient} {
  const lines: string[] = [];
  const failure = (what: string): StreamlogError => new StreamlogError('unreachable', what);
  const link = new ReconnectingClient({
    connect: () => Promise.reject(failure('away')),
    blockMs: 1_000,
    stopping: AbortSignal.abort(),
    onProblem: (line) => lines.push(line),
  });
  return {
    redis: link,
    /** The pause after a failure, in milliseconds, as it is told. */
    async fail(what) {
      await link.retryAfter(failure(what), link.current);
      const [, amount, unit] = /trying again in ([\d.]+)(ms|s)$/.exec(lines.at(-1)!)!;
      return Number(amount) * (unit === 's' ? 1_000 : 1);
    },
  };
}

describe('the pause before another attempt', () => {
  it('doubles from failure to failure, up to two seconds, with chance in its second half', async () => {
    const {fail} = brokenLink();
    for (let attempt = 0; attempt < 14; attempt++) {
      const bound = Math.min(2_000, 50 * 2 ** attempt);
      const pauseMs = await fail(`failure ${attempt}`);
      // From a second on, only whole ones are told.
      const least = bound < 2_000 ? bound / 2 : Math.floor(bound / 2_000) * 1_000;
      expect(pauseMs, `attempt ${attempt}`).toBeGreaterThanOrEqual(least);
      expect(pauseMs, `attempt ${attempt}`).toBeLessThanOrEqual(bound);
    }
  });

  it('is a short one again after a success', async () => {
    const {fail, redis: link} = brokenLink();
    for (let attempt = 0; attempt < 6; attempt++) await fail(`failure ${attempt}`);
    link.resetBackoff();
    expect(await fail('another')).toBeLessThanOrEqual(50);
  });
});
