/** Where a position lies in a stream, and where the stream ends. A stream that does not exist is an empty one. */
import {unlessDenied, unlessRefused} from '../errors.js';
import type {Position} from '../records/position.js';
import {FIRST_ID, LAST_ID, successorOf} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';

/**
 * The ID of the first entry that `position` means; it need not exist. For `end` it is the first ID that the stream can
 * still get.
 */
export async function locate(client: StreamClient, stream: string, position: Position): Promise<string> {
  switch (position.kind) {
    case 'id':
      return position.id;
    case 'time':
      return `${position.ms}-0`;
    case 'end':
      return successorOf(await lastGeneratedId(client, stream)) ?? LAST_ID;
    case 'last': {
      let left = position.count;
      for await (const {ids} of client.ids(stream, FIRST_ID, LAST_ID, {reverse: true})) {
        if (ids.length >= left) return ids[left - 1]!;
        left -= ids.length;
      }
      return FIRST_ID;
    }
  }
}

/** As `lastIdOf`, but `0-0` when there is no such stream. */
export const lastGeneratedId = async (client: StreamClient, stream: string): Promise<string> =>
  (await unlessRefused(lastIdOf(client, stream), ['notFound'])) ?? FIRST_ID;

/**
 * XINFO STREAM: the highest ID that the stream has generated. For a user who may not ask for it, that of the newest
 * entry (XREVRANGE), and `0-0` where there is none. Throws `notFound` when there is no such stream.
 */
export const lastIdOf = async (client: StreamClient, stream: string): Promise<string> =>
  (await unlessDenied(client.info(stream)))?.lastGeneratedId ?? newestId(client, stream);

/** XREVRANGE: the ID of the newest entry, `0-0` where there is none. */
export async function newestId(client: StreamClient, stream: string): Promise<string> {
  for await (const [newest] of client.records(stream, FIRST_ID, LAST_ID, {reverse: true, page: 1})) return newest!.id;
  return FIRST_ID;
}

/** XINFO STREAM; undefined when there is no such stream. */
export const findInfo = (client: StreamClient, stream: string): Promise<StreamInfo | undefined> =>
  unlessRefused(client.info(stream), ['notFound']);
