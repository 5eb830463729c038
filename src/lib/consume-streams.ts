/**
 * One consumer name on one or several streams: a Consumer and a connection for
 * blocking reads each (so that streams may live on different nodes of a
 * cluster), merged into one sequence. Owns those connections and closes them.
 */
import {Consumer, type ConsumerOptions} from './consumer.js';
import type {StreamRecord} from './entry.js';
import {merge} from './merge.js';
import {MAX_BLOCK_MS, Pace, type PaceOptions} from './pace.js';
import type {StreamClient} from './stream-client.js';

export type ConsumeOptions = Omit<ConsumerOptions, 'member'> &
  Omit<PaceOptions, 'readers'> & {
    streams: readonly string[];
    group: string;
    consumer: string;
  };

/**
 * Batches of records, each from one stream, as they come. Asking for the next
 * batch says that the last one was dealt with. Ends when the limit is reached,
 * on silence, or on `stopping`; throws the first failure.
 */
export async function* consumeStreams(
  client: StreamClient,
  options: ConsumeOptions,
): AsyncGenerator<StreamRecord[], void, void> {
  const {streams, group, consumer, stopping} = options;
  const pace = new Pace({...options, readers: streams.length});
  const readers = await Promise.all(streams.map(() => client.another(MAX_BLOCK_MS)));
  const close = (): void => {
    for (const reader of readers) reader.close();
  };
  // Frees a blocked read at once. What Redis sent in that instant stays pending for this consumer, and comes again.
  stopping.addEventListener('abort', close, {once: true});
  try {
    yield* merge(
      streams.map((stream, index) => {
        const member = {stream, group, consumer};
        return new Consumer(client, readers[index]!, pace, {...options, member}).deliveries();
      }),
    );
  } finally {
    stopping.removeEventListener('abort', close);
    close();
  }
}
