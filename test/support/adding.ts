/** Additions to several streams at once, as tests of connections want them. */
import type {Field} from '../../src/lib/records/entry.js';
import {AddEncoder} from '../../src/lib/redis/add-encoder.js';
import type {AddOptions, AddResult, StreamClient} from '../../src/lib/stream-client.js';

export interface Addition {
  stream: string;
  fields: readonly Field[];
  options?: AddOptions & {id?: string};
}

/** What became of each, in their order; what goes to the same stream goes in one batch. */
export async function addEach(client: StreamClient, additions: readonly Addition[]): Promise<AddResult[]> {
  const outcomes = new Array<AddResult>(additions.length);
  const streams = [...new Set(additions.map(({stream}) => stream))];
  await Promise.all(
    streams.map(async (stream) => {
      const encoder = new AddEncoder(stream);
      const indexes = additions.flatMap((addition, index) => (addition.stream === stream ? [index] : []));
      for (const index of indexes) {
        const {fields, options: {id = '*', ...options} = {}} = additions[index]!;
        encoder.add({fields, id, options});
      }
      const results = await client.addAll(stream, encoder.take()).catch((error) => indexes.map(() => error));
      indexes.forEach((index, at) => {
        outcomes[index] = results[at];
      });
    }),
  );
  return outcomes;
}
