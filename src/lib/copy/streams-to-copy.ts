/** What a copy begins with: the names of the streams, and whether both servers answer. */
import {isReservedKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import type {StreamClient} from '../stream-client.js';

export interface StreamsToCopy {
  /** In order. */
  streams: readonly string[];
  /** What the server of the copies is called, and that of the sources. */
  server: string;
  sourceServer: string;
  /** Whether it is that of the source. */
  isSame: boolean;
}

/** The streams that are named, each once, or that match a glob. Throws `notFound` where none matches. */
export async function streamsToCopy(
  connect: {source: () => Promise<StreamClient>; target: () => Promise<StreamClient>},
  wanted: string | readonly string[],
): Promise<StreamsToCopy> {
  const target = await connect.target();
  const server = addressOf(target);
  target.close();
  const source = await connect.source();
  try {
    const streams = typeof wanted === 'string' ? await matchingStreams(source, wanted) : wanted;
    const sourceServer = addressOf(source);
    return {streams, server, sourceServer, isSame: server === sourceServer};
  } finally {
    source.close();
  }
}

/** Its address, and the database where it is not the first. */
const addressOf = ({server: {address, database}}: StreamClient): string =>
  database === 0 ? address : `${address}/${database}`;

/** In order. Throws `notFound` where none matches. */
export async function matchingStreams(client: StreamClient, glob: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const page of client.server.streams(glob)) for (const name of page) found.add(name);
  const streams = [...found].filter((name) => !isReservedKey(name)).sort();
  if (streams.length > 0) return streams;
  throw new StreamlogError('notFound', `no stream matches "${glob}"`, {hint: 'see: streamlog ls'});
}
