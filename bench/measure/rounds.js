// Contestants in turn, round after round, so that a busy minute of the machine
// hits all of them, and the figures that come of it.

/**
 * Runs every contestant once a round, each round beginning with another one, after a round that warms up.
 * @param contestants `{name, run, missing, limit}`: `run` does the work once, checks that all of it was done, and returns a
 *   figure in `unit`; one with `missing` is skipped, by name and with this reason
 *   With --before only builds of streamlog and contestants with `limit` run: what is as fast as the server.
 * @param unit `events/s`, `requests/s` (more is better), `ms` or `MB` (less is better)
 * @param reference the contestant that the others are compared with
 * @throws what `run` throws: a peer that has not done its work is no peer
 */
export async function compare({title, unit, reference, contestants, rounds, warmUp = true, log, before}) {
  const wanted =
    before === undefined
      ? contestants
      : contestants.filter(({name, limit}) => limit || /^(before: )?streamlog/.test(name));
  const present = wanted.filter(({missing}) => missing === undefined);
  const skipped = wanted.filter(({missing}) => missing !== undefined);
  const samples = new Map(present.map(({name}) => [name, []]));
  log(`${title}: ${present.length} contestants, ${rounds} rounds`);
  for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
    for (let turn = 0; turn < present.length; turn++) {
      const {name, run} = present[(turn + round) % present.length];
      const figure = await run().catch((error) => {
        throw new Error(`${title}: ${name} did not do its work: ${error.message}`, {cause: error});
      });
      if (round > 0) samples.get(name).push(figure);
    }
  }
  const rows = [...samples].map(([name, figures]) => ({name, ...summary(figures), figures}));
  return {title, unit, reference, rows, skipped: skipped.map(({name, missing}) => ({name, reason: missing}))};
}

/** How much better `a` is than `b` in this table, by their medians: 2 is twice as fast. Undefined without both. */
export function ratio(table, a, b) {
  const [one, other] = [a, b].map((name) => table.rows.find((row) => row.name === name)?.median);
  if (one === undefined || other === undefined) return undefined;
  return moreIsBetter(table) ? one / other : other / one;
}

/** The name of the best contestant whose name matches. */
export function best(table, pattern) {
  const found = table.rows.filter(({name}) => pattern.test(name));
  found.sort((a, b) => (moreIsBetter(table) ? b.median - a.median : a.median - b.median));
  return found[0]?.name;
}

function moreIsBetter({unit}) {
  return unit.endsWith('/s');
}

function summary(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return {median, lowest: sorted[0], highest: sorted.at(-1), spread: (sorted.at(-1) - sorted[0]) / median};
}
