/**
 * Streams that a person is asked about before something in them is destroyed. Invariant: after the answer it is the same stream, as
 * far as XINFO STREAM tells; another one under its name is left alone.
 */
import {StreamlogError, unlessDenied} from '../errors.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {findInfo} from './locate.js';
import {isAnother} from './stream-change.js';

export class AskedAbout {
  readonly #seen: readonly (readonly [stream: string, info: StreamInfo | undefined])[];

  private constructor(seen: readonly (readonly [string, StreamInfo | undefined])[]) {
    this.#seen = seen;
  }

  /** A stream that the user may not look at is not compared. */
  static async of(client: StreamClient, streams: readonly string[]): Promise<AskedAbout> {
    const look = async (stream: string) => [stream, await unlessDenied(findInfo(client, stream))] as const;
    return new AskedAbout(await Promise.all(streams.map(look)));
  }

  /** Throws `temporary`, which says `nothing`, where one of them is another stream by now. */
  async check(client: StreamClient, nothing: string): Promise<void> {
    for (const [stream, before] of this.#seen) {
      if (before === undefined || !isAnother(before, await findInfo(client, stream))) continue;
      throw new StreamlogError(
        'temporary',
        `${nothing}: "${stream}" is another stream than the one you were asked about`,
      );
    }
  }
}
