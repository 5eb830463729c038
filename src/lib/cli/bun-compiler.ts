/**
 * When functions become machine code. The executable starts with a threshold
 * that is several times the usual one (scripts/compile.js), since most runs end
 * before it pays; one that lasts longer goes back to the usual. Under Node there
 * is nothing to do.
 */
const LASTS_MS = 100;
/** The usual threshold, times this. */
const USUAL = 1;

/** Begins to wait, without keeping the process alive. */
export function restoreCompilerLater(): void {
  const {Bun} = globalThis as {Bun?: {unsafe?: {setJITPolicy?: (scale: number) => void}}};
  if (Bun !== undefined) setTimeout(() => Bun.unsafe?.setJITPolicy?.(USUAL), LASTS_MS).unref();
}
