// Commands over a bare socket, their replies thrown away unread: the least a
// client can do, so what this takes is what the server takes.
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {connect} from 'node:net';
import {encode} from './inputs.js';

/**
 * Sends all pieces as fast as the server takes them, and resolves when the reply to the last has come.
 * @param pieces commands in protocol form
 */
export async function sendAll(port, pieces) {
  const socket = connect({port, host: '127.0.0.1', noDelay: true});
  await once(socket, 'connect');
  const mark = `end-${randomUUID()}`;
  let tail = '';
  const done = new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (data) => {
      tail = (tail + data.subarray(-mark.length - 2).toString('latin1')).slice(-mark.length - 2);
      if (tail.startsWith(mark)) resolve();
    });
  });
  done.catch(() => {});
  for (const piece of pieces) if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), done]);
  socket.write(encode(['ECHO', mark]));
  await done;
  socket.destroy();
}
