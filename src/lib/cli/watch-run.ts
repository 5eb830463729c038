/** How `info --watch` runs: readings in place on a terminal, or one after the other, until it is ended. */
import {type WatchedStream, type WatchOptions, watchStreams} from '../observe/stream-watch.js';
import type {Sink} from '../output/sink.js';
import type {StreamClient} from '../stream-client.js';
import {standardDisplay} from './standard-display.js';
import {WatchScreen} from './watch-screen.js';

export interface WatchRun extends Pick<WatchOptions, 'withConsumers' | 'onOmitted'> {
  out: Sink;
  client: StreamClient;
  streams: readonly string[];
  everyMs: number;
  /** Whether it takes the whole terminal. */
  isFull: boolean;
  retryForMs: number | undefined;
  stopping: AbortSignal;
  warn(line: string): void;
  print(streams: readonly WatchedStream[]): Promise<void>;
}

/** Shows readings until `stopping` or the key `q`. Throws as `watchStreams` does, and as `out` does. */
export async function watchView({
  out,
  client,
  streams,
  everyMs,
  isFull,
  warn,
  print,
  ...rest
}: WatchRun): Promise<void> {
  const quit = new AbortController();
  const onQuit = (): void => quit.abort();
  const screen = isFull ? new WatchScreen({out, display: standardDisplay(), everyMs, onQuit}) : undefined;
  const say = (line: string): void => (screen?.isShown ? screen.notice(line) : warn(line));
  const readings = watchStreams(streams, {
    withConsumers: rest.withConsumers,
    everyMs,
    connect: () => client.another(),
    retryForMs: rest.retryForMs,
    stopping: AbortSignal.any([rest.stopping, quit.signal]),
    waitsForGone: isFull,
    onOmitted: (what) => (screen?.isShown ? screen.notice(what) : rest.onOmitted?.(what)),
    onChange: say,
    onProblem: say,
  });
  try {
    for await (const reading of readings) {
      out.check();
      if (screen === undefined) await print(reading);
      else await screen.show(reading);
    }
  } finally {
    await screen?.close();
  }
}
