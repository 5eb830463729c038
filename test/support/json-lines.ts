/** What commands print in a pipe: a JSON object on each line. */

/** The JSON of each line. Throws where one is not whole. */
export const jsonLines = <T = Record<string, unknown>>(text: string): T[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));

/** The IDs of records, one for each line. */
export const idsIn = (text: string): string[] => jsonLines<{id: string}>(text).map(({id}) => id);

/** The part that has newlines at its end, of what a command has printed so far. */
export const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);
