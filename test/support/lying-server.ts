/** A server that speaks to clients of Redis, and answers what it likes. It is no mock: it is what may be listening there. */

import type {AddressInfo} from 'node:net';
import {createServer, type Server, type Socket} from 'node:net';

export interface LyingServer {
  url: string;
  /** What every command but those of the handshake is answered with from now on; at its end the connection ends, unless it `stays`. */
  lie(reply: Uint8Array, options?: {stays?: boolean}): void;
  stop(): Promise<void>;
}

/** Commands that a client begins with. */
const HANDSHAKE = /\b(CLIENT|SELECT|AUTH|HELLO|INFO|SCRIPT)\b/i;

export async function startLyingServer(): Promise<LyingServer> {
  const sockets = new Set<Socket>();
  let answer: Uint8Array = Buffer.from('+OK\r\n');
  let stays = false;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // A command is an array of strings, and none of ours has a line that looks like the start of one.
      for (
        let next = /^\*\d+\r\n(?:\$(\d+)\r\n)/.exec(text);
        next !== null;
        next = /^\*\d+\r\n(?:\$(\d+)\r\n)/.exec(text)
      ) {
        const parts = Number(/^\*(\d+)/.exec(text)![1]);
        let at = text.indexOf('\r\n') + 2;
        let whole = true;
        let name = '';
        for (let part = 0; part < parts && whole; part++) {
          const lineEnd = text.indexOf('\r\n', at);
          const length = Number(text.slice(at + 1, lineEnd));
          if (lineEnd === -1 || lineEnd + 2 + length + 2 > text.length) whole = false;
          if (part === 0) name = text.slice(lineEnd + 2, lineEnd + 2 + length);
          at = lineEnd + 2 + length + 2;
        }
        if (!whole) return;
        text = text.slice(at);
        if (HANDSHAKE.test(name)) {
          socket.write(/^SCRIPT$/i.test(name) ? '$40\r\n0000000000000000000000000000000000000000\r\n' : '+OK\r\n');
        } else if (stays) socket.write(answer);
        else {
          socket.end(answer);
          return;
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lie(reply, options = {}) {
      answer = reply;
      stays = options.stays ?? false;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
