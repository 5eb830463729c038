/**
 * One client connection and its connection to the server, from accepting to
 * the end of both: matches replies with requests and carries out cuts.
 * Invariant: a request goes on whole or not at all.
 */
import {connect, type NetConnectOpts, type Socket} from 'node:net';
import {Delivery} from './delivery.js';
import type {Cut, Faults} from './faults.js';
import type {Outcome} from './outcome.js';
import {Framer, type Part, type Request, RequestReader} from './resp-stream.js';

export class ProxiedConnection {
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faults: Faults;
  readonly #toServer: Delivery;
  readonly #toClient: Delivery;
  readonly #requests = new RequestReader();
  readonly #replies = new Framer();
  /** Requests that went to the server and have no whole reply yet. */
  #unanswered = 0;
  /** The cut that this connection is to suffer, once so many more replies are whole. */
  #coming: {cut: Cut; replies: number; replyBytesLeft: number} | undefined;
  /** Nothing that comes now goes anywhere. */
  #over = false;

  /** `onBroken` is told of bytes that are not RESP2. */
  constructor(client: Socket, server: NetConnectOpts, faults: Faults, onBroken: (error: Error) => void) {
    this.#client = client.setNoDelay(true);
    this.#server = connect({...server, allowHalfOpen: true, noDelay: true});
    this.#faults = faults;
    this.#toServer = new Delivery('requests', this.#client, this.#server, faults);
    this.#toClient = new Delivery('replies', this.#server, this.#client, faults);
    this.#carry(this.#client, this.#toServer, (chunk) => this.#onRequests(chunk), onBroken);
    this.#carry(this.#server, this.#toClient, (chunk) => this.#onReplies(chunk), onBroken);
    this.closed = Promise.all([this.#client, this.#server].map(closing)).then(() => {
      const {when, command, outcome} = this.#coming?.cut ?? {};
      outcome?.failed(`the connection closed before it could be cut ${when} ${command}`);
    });
  }

  /** Whether both sides are gone; `closed` resolves soon after. */
  get ended(): boolean {
    return this.#client.destroyed && this.#server.destroyed;
  }

  /** Closes both sides; what is on its way is dropped. */
  cut(): void {
    this.#drop(() => this.#client.destroy());
  }

  /** As `cut`, but the client gets a reset (RST) in place of an end. */
  reset(): void {
    this.#drop(() => this.#client.resetAndDestroy());
  }

  #drop(closeClient: () => void): void {
    this.#over = true;
    closeClient();
    this.#server.destroy();
    this.#faults.wake();
  }

  #carry(from: Socket, on: Delivery, onChunk: (chunk: Buffer) => void, onBroken: (error: Error) => void): void {
    from.on('data', (chunk) => {
      try {
        onChunk(chunk);
      } catch (error) {
        onBroken(error as Error);
        this.cut();
      }
    });
    // An end without a word and an error both close the other side, after what came before.
    from.on('error', () => {});
    from.on('end', () => on.end());
    from.on('close', () => on.end());
  }

  #onRequests(chunk: Buffer): void {
    for (const request of this.#requests.read(chunk)) {
      if (this.#over || this.#coming !== undefined) return;
      this.#onRequest(request);
    }
  }

  #onRequest({words, bytes}: Request): void {
    const cut = words.length === 0 ? undefined : this.#faults.meet(words);
    if (cut !== undefined) {
      const replies = this.#unanswered + (cut.when === 'after' ? 1 : 0);
      this.#coming = {cut, replies, replyBytesLeft: cut.replyBytes};
    }
    if (cut?.when === 'before') {
      this.#cutIfDue();
      return;
    }
    this.#toServer.push(bytes);
    // The server skips an empty line without a word.
    if (words.length > 0) this.#unanswered += 1;
  }

  #onReplies(chunk: Buffer): void {
    for (const part of this.#replies.parts(chunk)) {
      if (this.#over) return;
      this.#onReply(part);
    }
  }

  #onReply({bytes, last}: Part): void {
    this.#pass(this.#swallowed(bytes));
    if (!last || this.#over) return;
    this.#unanswered -= 1;
    if (this.#coming === undefined) return;
    this.#coming.replies -= 1;
    this.#cutIfDue();
  }

  /** What a cut leaves of `bytes`. */
  #swallowed(bytes: Buffer): Buffer {
    const coming = this.#coming;
    if (coming === undefined || coming.cut.when === 'before' || coming.replies > 1) return bytes;
    const left = bytes.subarray(0, coming.replyBytesLeft);
    coming.replyBytesLeft -= left.length;
    return left;
  }

  #pass(bytes: Buffer): void {
    const {passing, limit} = this.#faults.takeReplyBytes(bytes.length);
    this.#toClient.push(bytes.subarray(0, passing));
    if (limit !== undefined) this.#end(limit);
  }

  #cutIfDue(): void {
    if (this.#coming === undefined || this.#coming.replies > 0) return;
    const {outcome} = this.#coming.cut;
    this.#coming = undefined;
    this.#end(outcome);
  }

  /** Cuts the connection once the client got what passed so far. */
  #end(outcome: Outcome): void {
    this.#over = true;
    this.#server.destroy();
    this.#toClient.end(() => {
      this.#client.destroy();
      outcome.happened();
    });
  }
}

const closing = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));
