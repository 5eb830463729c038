/**
 * Has what is garbage collected before it adds up. By itself the executable
 * collects so late that a long run takes half as much memory again as it uses,
 * and containers count all of it. Under Node there is nothing to do: its heap
 * has limits that can be set.
 */
const LOOK_EVERY_MS = 100;
/** What a run takes that has just begun to work. */
const USUAL_BYTES = 80 * 1024 * 1024;
/** By so much a run may grow until the next look: also where all of it is in use, and nothing can be collected. */
const STEP_BYTES = 8 * 1024 * 1024;

/** Begins to look, without keeping the process alive. */
export function collectWhenGrown(): void {
  const {Bun} = globalThis as {Bun?: {gc?: (synchronously: boolean) => unknown}};
  if (Bun?.gc === undefined) return;
  const {gc} = Bun;
  let limit = USUAL_BYTES;
  setInterval(() => {
    if (process.memoryUsage.rss() < limit) return;
    gc(true);
    limit = Math.max(USUAL_BYTES, process.memoryUsage.rss() + STEP_BYTES);
  }, LOOK_EVERY_MS).unref();
}
