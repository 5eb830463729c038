/** The shapes of output: `-o table|json|csv|tsv`. */
export const SHAPES = ['table', 'json', 'csv', 'tsv'] as const;
export type Shape = (typeof SHAPES)[number];

/** What the flags ask for; without one, what a person or a program can read. */
export const shapeOf = ({output, json}: {output?: Shape | undefined; json: boolean}, terminal: boolean): Shape =>
  output ?? (terminal && !json ? 'table' : 'json');
