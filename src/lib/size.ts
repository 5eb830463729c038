/** Amounts of memory as people write them. `KB`, `MB`, `GB` count in 1024s, as Redis' own configuration does. */
const UNITS = {B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3} as const;
const SIZE = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)?$/i;

/** Bytes, or undefined when `text` is no size. A bare number is bytes. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? 'B').toUpperCase() as keyof typeof UNITS;
  const bytes = Math.round(Number(match[1]) * UNITS[unit]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For people: `912 B`, `64.0 KB`, `1.5 GB`. */
export function formatSize(bytes: number): string {
  if (bytes < UNITS.KB) return `${bytes} B`;
  // Of what rounds to 1024.0 of one unit, the next unit says 1.0.
  for (const unit of ['KB', 'MB'] as const) {
    const amount = (bytes / UNITS[unit]).toFixed(1);
    if (Number(amount) < 1024) return `${amount} ${unit}`;
  }
  return `${(bytes / UNITS.GB).toFixed(1)} GB`;
}
