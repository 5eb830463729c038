/**
 * A connection for adding entries to one stream, whose socket is ours: a promise
 * and a queue entry for each command would cost more than the command. ioredis
 * connects and authenticates; then bytes are sent as they are (docs/adr/0010).
 * It never reconnects and sends nothing twice. Invariant: every reply handler gets
 * all of its replies, or learns that the connection was lost.
 */
import type {Socket} from 'node:net';
import type {Redis} from 'ioredis';
import {notConnected, type StreamlogError} from '../errors.js';
import {withAsking} from './ask-redirection.js';
import {type Trace, traceReplies} from './command-trace.js';
import {connect, type Standing} from './connect.js';
import {end} from './new-client.js';
import {type RespHandler, RespReader} from './resp-reader.js';
import {replyFailure, type ServerErrorReason, toFailure} from './server-errors.js';
import type {Target} from './server-target.js';
import {LOOK_MS, nodeOf, nodeTarget, OwnerWatch} from './slot-owner.js';

/** Receives the replies to the commands that it has sent. */
export interface ReplyHandler extends Omit<RespHandler, 'error'> {
  /** The stream, for messages; undefined for commands without one. */
  readonly stream?: string | undefined;
  /** How many replies are still to come; 0 when it has them all. */
  readonly awaits: number;
  /** An error reply. */
  refused(failure: StreamlogError): void;
  /** The connection ended before all replies: the result of the other commands is uncertain. */
  lost(failure: StreamlogError): void;
}

interface AddConnectionOptions {
  silenceMs: number;
  /** Behind sentinels. */
  isMasterChanging?: (() => Promise<boolean>) | undefined;
  inCluster?: boolean;
  /** Asked while the node is silent. */
  owner?: OwnerWatch | undefined;
  /** Each command is sent after an ASKING. */
  asking?: boolean;
  trace?: Trace | undefined;
}

/** The command that messages name. */
const COMMAND = 'XADD';
/** Minimum number of checks per silence timeout. */
const SILENT_TICKS = 20;
const LONGEST_TICK_MS = 250;
const LF = 0x0a;

export class AddConnection {
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<StreamlogError>;
  readonly #client: Redis;
  readonly #socket: Socket;
  readonly #inCluster: boolean;
  readonly #handlers: ReplyHandler[] = [];
  readonly #silenceMs: number;
  readonly #tickMs: number;
  readonly #owner: OwnerWatch | undefined;
  readonly #isAsking: boolean;
  readonly #trace: Trace | undefined;
  readonly #isMasterChanging: (() => Promise<boolean>) | undefined;
  #silentTicks = 0;
  #watch: NodeJS.Timeout;
  #end!: (failure: StreamlogError) => void;
  #ended = false;
  #reason: unknown;
  #corked = false;
  #hasRead = false;

  private constructor(
    client: Redis,
    problem: ServerErrorReason,
    {inCluster = false, silenceMs, owner, asking = false, isMasterChanging, trace}: AddConnectionOptions,
  ) {
    this.#trace = trace;
    this.#client = client;
    this.#socket = client.stream as Socket;
    this.#silenceMs = silenceMs;
    this.#owner = owner;
    this.#isAsking = asking;
    this.#isMasterChanging = isMasterChanging;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#inCluster = inCluster;
    const reader = new RespReader(this.#listener());
    // ioredis has nothing in flight any more, and must not see replies to commands that it did not send.
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    this.#socket.on('error', (error) => {
      this.#reason ??= error;
    });
    this.#socket.once('close', () => {
      const reason = this.#reason ?? new Error('Connection is closed.');
      this.#over(toFailure(reason, {command: COMMAND}, problem));
    });
    this.#tickMs = Math.min(LONGEST_TICK_MS, silenceMs / SILENT_TICKS);
    this.#watch = setInterval(() => this.#look(), this.#tickMs);
    this.#watch.unref();
  }

  /**
   * Connects to the server, or the node of the cluster, that has `stream`; `node`
   * is its `host:port`, if known. With `asking`, it is the node to which the slot is moving (ASK).
   * Throws as `Connection.open` does.
   */
  static async open(target: Target, stream: string, node?: string, asking = false): Promise<AddConnection> {
    const {silenceMs, trace} = target;
    if (target.kind !== 'cluster') {
      const {client, problem, isMasterChanging} = await connect(target, 0);
      return new AddConnection(client as Redis, problem, {silenceMs, isMasterChanging, trace});
    }
    const home = node || (await nodeOf(target, stream));
    // Until the slot has moved, other nodes name the old one.
    const owner = home === undefined || asking ? undefined : new OwnerWatch(target, stream, home);
    const opening = connect(nodeTarget(target, home), 0);
    const {client, problem} = await (owner?.unlessMoved(opening, (late) => end(late.client)) ?? opening);
    return new AddConnection(client as Redis, problem, {silenceMs, inCluster: true, owner, asking, trace});
  }

  /**
   * Sends whole commands, after all that was sent before. `handler` gets their
   * replies; bytes must not change until it has them all. What is sent in one
   * turn of the event loop leaves in one write.
   */
  send(bytes: readonly Uint8Array[], handler: ReplyHandler): void {
    if (this.#ended) {
      handler.lost(notConnected());
      return;
    }
    const callback = this.#trace === undefined ? handler : traceReplies(bytes, handler, this.#trace);
    if (this.#handlers.length === 0) this.#silentTicks = 0;
    const asking = this.#isAsking ? withAsking(Buffer.concat(bytes), callback) : undefined;
    if (asking === undefined) this.#handlers.push(callback);
    else this.#handlers.push(...asking.takers);
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      queueMicrotask(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    for (const part of asking?.bytes ?? bytes) this.#socket.write(part);
  }

  /** Asks all sentinels once, if there are any; afterwards a connection to another server than the master has ended. */
  async standing(): Promise<Standing> {
    const isChanging = (await this.#isMasterChanging?.()) ?? false;
    if (this.#ended || this.#socket.destroyed) return 'ended';
    return isChanging ? 'changing' : 'master';
  }

  /** Ends the connection at once. */
  close(): void {
    end(this.#client);
    this.#socket.destroy();
  }

  #read(reader: RespReader, chunk: Buffer): void {
    this.#silentTicks = 0;
    // For ioredis a reply is complete at its CR (https://github.com/redis/ioredis/blob/main/lib/resp/decoder.ts), so its LF may come to us.
    const start = !this.#hasRead && chunk[0] === LF ? 1 : 0;
    this.#hasRead = true;
    try {
      reader.read(chunk.subarray(start));
    } catch (error) {
      this.#reason ??= error;
      this.close();
    }
  }

  /** Replies go to the handlers in the order in which commands were sent. */
  #listener(): RespHandler {
    const handlers = this.#handlers;
    const next = (): ReplyHandler => {
      const first = handlers[0];
      if (first === undefined) throw new Error('Protocol error: a reply to nothing');
      return first;
    };
    const after = (first: ReplyHandler): void => {
      if (first.awaits === 0) handlers.shift();
    };
    return {
      text: (bytes, start, endAt) => {
        const first = next();
        first.text(bytes, start, endAt);
        after(first);
      },
      integer: (value) => {
        const first = next();
        first.integer(value);
        after(first);
      },
      nil: () => {
        const first = next();
        first.nil();
        after(first);
      },
      array: (count) => {
        const first = handlers[0];
        if (first?.array === undefined) return;
        first.array(count);
        after(first);
      },
      error: (text) => {
        const first = next();
        first.refused(replyFailure(text, {command: COMMAND, stream: first.stream, inCluster: this.#inCluster}));
        after(first);
      },
    };
  }

  /** Counts ticks, not time: when our own event loop is blocked, the server is not to blame. */
  #look(): void {
    if (this.#handlers.length === 0) return;
    const silentMs = ++this.#silentTicks * this.#tickMs;
    if (silentMs >= this.#silenceMs) this.#leave(new Error(`Socket timeout. No reply in ${this.#silenceMs}ms`));
    else if (silentMs >= LOOK_MS) this.#owner?.look((reason) => this.#leave(reason));
  }

  #leave(reason: Error): void {
    this.#reason ??= reason;
    this.close();
  }

  #over(failure: StreamlogError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watch);
    for (const callback of this.#handlers.splice(0)) callback.lost(failure);
    this.#end(failure);
  }
}
