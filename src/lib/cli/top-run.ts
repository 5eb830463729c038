/** How `top` runs: what its flags mean, and snapshots on the screen or line by line until it is ended. */
import {Flags} from '@oclif/core';
import {formatDuration} from '../duration.js';
import {unlessDenied, usageError} from '../errors.js';
import {type GroupDetail, readGroupDetail} from '../observe/group-detail.js';
import {RecentMinute} from '../observe/recent-minute.js';
import type {GroupFacts, Snapshot} from '../observe/snapshot.js';
import {inRowOrder, type RowOrder} from '../observe/snapshot-rows.js';
import {type SnapshotOptions, snapshots} from '../observe/snapshots.js';
import type {Display} from '../output/display.js';
import {JSON_FIELDS} from '../output/json-fields.js';
import type {Fields} from '../output/report-fields.js';
import type {Sink} from '../output/sink.js';
import {initialState} from '../output/top-state.js';
import {COLUMN_NAMES} from '../output/views/top-list-view.js';
import {renderTop, type TopOptions} from '../output/views/top-view.js';
import {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamClient} from '../stream-client.js';
import type {ConnectionFlags} from './connection-settings.js';
import {hasUnicode, standardDisplay} from './standard-display.js';
import {TopScreen} from './top-screen.js';
import {typedServer} from './typed-server.js';

/** `lag,behind` */
export const columnsFlag = Flags.custom<string[]>({
  helpValue: 'NAME,NAME',
  parse: async (text) => {
    const names = text.split(',').map((name) => name.trim());
    const unknown = names.find((name) => !COLUMN_NAMES.includes(name));
    if (unknown !== undefined)
      throw usageError(`--columns: there is no column "${unknown}"`, `columns: ${COLUMN_NAMES.join(', ')}`);
    return names;
  },
});

interface TopFlags extends ConnectionFlags {
  every: number;
  sort: RowOrder;
  columns: readonly string[] | undefined;
  count: number | undefined;
  'groups-only': boolean;
}

export interface TopRun {
  view: TopOptions;
  sort: RowOrder;
  /** What the command prints of a snapshot. */
  report(snapshot: Snapshot): [Fields<Snapshot>, Snapshot[], (display: Display) => string];
}

export function topOptions(flags: TopFlags, context: {name: string; isReadonly: boolean} | undefined): TopRun {
  const limit = flags.count ?? Number.POSITIVE_INFINITY;
  const view: TopOptions = {
    every: formatDuration(flags.every),
    everyMs: flags.every,
    groupsOnly: flags['groups-only'],
    limit,
    columns: flags.columns,
    context: context?.name,
    isReadonly: context?.isReadonly ?? false,
    server: typedServer(flags),
  };
  const minutes = new RecentMinute();
  return {
    view,
    sort: flags.sort,
    report: (snapshot) => {
      minutes.take(snapshot, performance.now());
      const model = {snapshot, minutes, detail: undefined, awayMs: undefined};
      const render = (display: Display): string =>
        renderTop(model, initialState(flags.sort), view, {...display, unicode: hasUnicode()});
      return [
        JSON_FIELDS.top,
        [{...snapshot, streams: inRowOrder(snapshot.streams, flags.sort).slice(0, limit)}],
        render,
      ];
    },
  };
}

/** Throws `notFound` for a stream that was named and is not there; it may be mistyped. One that may not be read is counted later. */
export async function requireStreams(client: StreamClient, streams: readonly string[]): Promise<void> {
  for (const stream of streams) await unlessDenied(client.groups(stream));
}

export interface LiveOptions {
  out: Sink;
  client: StreamClient;
  reading: Pick<SnapshotOptions, 'everyMs' | 'streams' | 'match' | 'maxStreams'>;
  options: TopRun;
  isFull: boolean;
  retryForMs: number | undefined;
  stopping: AbortSignal;
  warn(line: string): void;
  print(snapshot: Snapshot): Promise<void>;
}

/** Shows snapshots until `stopping` or the key `q`. Throws as `snapshots` does, and as `out` does. */
export async function liveView({
  out,
  client,
  reading,
  options,
  isFull,
  warn,
  print,
  ...rest
}: LiveOptions): Promise<void> {
  const quit = new AbortController();
  const stopping = AbortSignal.any([rest.stopping, quit.signal]);
  const connecting = {connect: () => client.another(), retryForMs: rest.retryForMs, stopping, mayFailOver: true};
  // Only for what is looked at; it connects when it is used.
  const details = new ReconnectingClient({...connecting, onProblem: () => {}});
  const readDetail = (stream: string, group: GroupFacts): Promise<GroupDetail | undefined> =>
    details.run(({commands}) => readGroupDetail(commands, stream, group));
  const display = {...standardDisplay(), unicode: hasUnicode()};
  const screen = isFull
    ? new TopScreen({...options.view, out, display, readDetail, onQuit: () => quit.abort()}, initialState(options.sort))
    : undefined;
  const onProblem = (line: string): void => (screen?.isShown ? screen.away() : warn(line));
  try {
    for await (const snapshot of snapshots({...reading, ...connecting, onProblem})) {
      out.check();
      if (screen === undefined) await print(snapshot);
      else await screen.show(snapshot);
    }
  } finally {
    details.close();
    await screen?.close();
  }
}
