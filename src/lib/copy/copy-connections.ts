/** The connections of one copy, to its source and to its target, which are replaced when they are lost; messages say whose they were. */
import {isSame} from '../reading/stream-change.js';
import {ReconnectingClient, type RunOn} from '../reconnecting-client.js';
import type {StreamClient} from '../stream-client.js';
import type {CopyNames} from './copy-failures.js';
import {BLOCK_MS} from './source-stream.js';

type Side = 'source' | 'target';

export interface CopyConnectionsOptions {
  names: CopyNames;
  connect: Record<Side, () => Promise<StreamClient>>;
  mayFailOver: Record<Side, boolean>;
  retryForMs: number | undefined;
  stopping: AbortSignal;
  /** One line about what is wrong. */
  onProblem: (line: string) => void;
}

export class CopyConnections {
  readonly source: ReconnectingClient;
  readonly target: ReconnectingClient;
  readonly #names: CopyNames;

  constructor(options: CopyConnectionsOptions) {
    this.#names = options.names;
    this.source = clientOf('source', options, BLOCK_MS);
    this.target = clientOf('target', options);
  }

  get runs(): Record<Side, RunOn> {
    return {source: this.source.runCommands, target: this.target.runCommands};
  }

  /** Whether both have an entry with this ID, and it is the same. */
  async isCopy(id: string): Promise<boolean> {
    const {runs} = this;
    const [original] = await runs.source((client) => client.recordPage(this.#names.source, id, id, 1));
    const [copy] = await runs.target((client) => client.recordPage(this.#names.target, id, id, 1));
    return original !== undefined && copy !== undefined && isSame(original, copy);
  }

  close(): void {
    this.source.close();
    this.target.close();
  }
}

function clientOf(side: Side, options: CopyConnectionsOptions, blockMs?: number): ReconnectingClient {
  const {connect, mayFailOver, retryForMs, stopping, onProblem} = options;
  return new ReconnectingClient({
    connect: connect[side],
    mayFailOver: mayFailOver[side],
    retryForMs,
    stopping,
    ...(blockMs === undefined ? {} : {blockMs}),
    // One server has no sides.
    onProblem: (line) => onProblem(connect.source === connect.target ? line : `${side}: ${line}`),
  });
}
