/**
 * A connection to where one stream lives, whose socket is ours: for adding
 * entries, where a promise and a queue entry for each command would cost more
 * than the command. ioredis opens it and proves who we are, TLS, Sentinel and
 * Cluster included; from then on bytes go out as they are given, and replies
 * come in their order. It never reconnects and sends nothing twice. Invariant:
 * every taker is told of all of its replies, or that the connection was lost.
 */
import type {Socket} from 'node:net';
import {Cluster, Command, type Redis} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {end} from './client.js';
import {connect} from './connecting.js';
import {type CommandContext, replyFailure, type Trouble, toFailure} from './failure.js';
import {type ReplyListener, ReplyReader} from './reply-reader.js';
import type {Node, Target} from './target.js';

/** Whoever sent commands, and is told of their replies. */
export interface ReplyTaker extends Omit<ReplyListener, 'error'> {
  /** How many replies are still to come; 0 when it has all. */
  readonly awaits: number;
  /** An error reply. */
  refused(failure: StreamlogError): void;
  /** The connection ended first: whether what is still awaited was executed is not known. */
  lost(failure: StreamlogError): void;
}

/** What the stream is needed for, in messages. */
const COMMAND = 'XADD';
/** How often it is looked whether the server has gone silent. */
const TICK_MS = 250;
const LF = 0x0a;

export class Wire {
  /** Resolves when the connection has ended, with why. */
  readonly closed: Promise<StreamlogError>;
  readonly #client: Redis;
  readonly #socket: Socket;
  readonly #takers: ReplyTaker[] = [];
  readonly #silenceTicks: number;
  #silentTicks = 0;
  #watch: NodeJS.Timeout;
  #end!: (failure: StreamlogError) => void;
  #ended = false;
  #reason: unknown;
  #corked = false;
  #hasRead = false;

  private constructor(client: Redis, trouble: Trouble, context: CommandContext, silenceMs: number) {
    this.#client = client;
    this.#socket = client.stream as Socket;
    this.#silenceTicks = Math.ceil(silenceMs / TICK_MS);
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    const reader = new ReplyReader(this.#listener(context));
    // ioredis has nothing under way any more, and must not see replies to what it did not send.
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    this.#socket.on('error', (error) => {
      this.#reason ??= error;
    });
    this.#socket.once('close', () => {
      const reason = this.#reason ?? trouble.error ?? new Error('Connection is closed.');
      this.#over(toFailure(reason, context));
    });
    this.#watch = setInterval(() => this.#look(), TICK_MS);
    this.#watch.unref();
  }

  /** Connects to the server, or the node of the cluster, that has `stream`. Throws as `Connection.open` does. */
  static async open(target: Target, stream: string): Promise<Wire> {
    const place = target.kind === 'cluster' ? await nodeOf(target, stream) : target;
    const {client, trouble} = await connect(place, 0);
    const context = {command: COMMAND, stream, inCluster: target.kind === 'cluster'};
    return new Wire(client as Redis, trouble, context, target.silenceMs);
  }

  /** How many senders wait for replies. */
  get waiting(): number {
    return this.#takers.length;
  }

  /**
   * Sends whole commands, after all that was sent before. `taker` is told of
   * their replies; bytes must not change until it has them all. What is sent
   * in one go of the event loop leaves in one piece.
   */
  send(bytes: readonly Uint8Array[], taker: ReplyTaker): void {
    if (this.#ended) {
      taker.lost(toFailure(new Error('Connection is closed.'), {command: COMMAND}));
      return;
    }
    if (this.#takers.length === 0) this.#silentTicks = 0;
    this.#takers.push(taker);
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    for (const part of bytes) this.#socket.write(part);
  }

  /** Ends the connection at once. */
  close(): void {
    end(this.#client);
    this.#socket.destroy();
  }

  #read(reader: ReplyReader, chunk: Buffer): void {
    this.#silentTicks = 0;
    // ioredis takes a reply for whole at its CR; where the chunks were cut there, the LF comes to us.
    const start = !this.#hasRead && chunk[0] === LF ? 1 : 0;
    this.#hasRead = true;
    try {
      reader.read(chunk.subarray(start));
    } catch (error) {
      this.#reason ??= error;
      this.close();
    }
  }

  /** The replies go to the takers in the order of their sending. */
  #listener(context: CommandContext): ReplyListener {
    const takers = this.#takers;
    const taker = (): ReplyTaker => {
      const first = takers[0];
      if (first === undefined) throw new Error('Protocol error: a reply to nothing');
      return first;
    };
    const after = (first: ReplyTaker): void => {
      if (first.awaits === 0) takers.shift();
    };
    return {
      text: (bytes, start, endAt) => {
        const first = taker();
        first.text(bytes, start, endAt);
        after(first);
      },
      integer: (value) => {
        const first = taker();
        first.integer(value);
        after(first);
      },
      nil: () => {
        const first = taker();
        first.nil();
        after(first);
      },
      error: (text) => {
        const first = taker();
        first.refused(replyFailure(text, context));
        after(first);
      },
    };
  }

  /** Ticks are counted, and not time: when we are held up ourselves, it is not the server that is silent. */
  #look(): void {
    if (this.#takers.length === 0) return;
    if (++this.#silentTicks < this.#silenceTicks) return;
    this.#reason ??= new Error(`Socket timeout. No reply in ${this.#silenceTicks * TICK_MS}ms`);
    this.close();
  }

  #over(failure: StreamlogError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watch);
    for (const taker of this.#takers.splice(0)) taker.lost(failure);
    this.#end(failure);
  }
}

/** The master that serves the slot of `stream`, as a server of its own. */
async function nodeOf(target: Target & {kind: 'cluster'}, stream: string): Promise<Target> {
  const {client} = await connect(target, 0);
  try {
    const slot = new Command(COMMAND, [stream]).getSlot();
    // The table of slots is read anew at each connect; a slot that nobody serves is for the first node to say.
    const node = client instanceof Cluster && slot !== null ? client.slots[slot]?.[0] : undefined;
    return {...target, kind: 'tcp', node: node === undefined ? target.nodes[0]! : parseNode(node)};
  } finally {
    end(client);
  }
}

function parseNode(text: string): Node {
  const colon = text.lastIndexOf(':');
  return {host: text.slice(0, colon), port: Number(text.slice(colon + 1))};
}
