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
  if (bytes < 1024) return `${bytes} B`;
  const [name, unit] = bytes < UNITS.MB ? ['KB', UNITS.KB] : bytes < UNITS.GB ? ['MB', UNITS.MB] : ['GB', UNITS.GB];
  return `${(bytes / Number(unit)).toFixed(1)} ${name}`;
}
