/** Settings of Bun's engine for the executable. Elsewhere there is nothing to do. */

interface BunSettings {
  /** https://bun.sh/docs/api/utils#bun-gc */
  gc?(synchronously: boolean): unknown;
  unsafe?: {setJITPolicy?(scale: number): void};
}

/**
 * The executable is built with a compile threshold several times the usual one (`jitPolicy` in
 * scripts/bundle.js), since most runs end before compiling pays. A longer run goes back to the usual one.
 */
const LONG_RUN_MS = 100;
const USUAL_JIT_POLICY = 1;

/** Bun collects so late that a long run takes half as much memory again as it uses (oven-sh/bun#30261). */
const COLLECT_EVERY_MS = 100;
/** What a run takes that has just started to work. */
const LEAST_BYTES = 96 * 1024 * 1024;
/** How much memory may grow before the next collection, also where one finds nothing to free. */
const STEP_BYTES = 16 * 1024 * 1024;

/** Starts timers that do not keep the process alive. */
export function tuneBun(): void {
  const {Bun} = globalThis as {Bun?: BunSettings};
  if (Bun === undefined) return;
  setTimeout(() => Bun.unsafe?.setJITPolicy?.(USUAL_JIT_POLICY), LONG_RUN_MS).unref();
  let limit = LEAST_BYTES;
  const nextLimit = (bytes: number): number => Math.max(LEAST_BYTES, bytes + STEP_BYTES);
  setInterval(() => {
    const bytes = process.memoryUsage.rss();
    if (bytes < limit) {
      // What was freed goes back to the system only after a while, so the limit comes down with it.
      limit = Math.min(limit, nextLimit(bytes));
      return;
    }
    Bun.gc?.(true);
    limit = nextLimit(process.memoryUsage.rss());
  }, COLLECT_EVERY_MS).unref();
}
