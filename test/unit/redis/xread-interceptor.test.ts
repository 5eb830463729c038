import {EventEmitter} from 'node:events';
import type {Socket} from 'node:net';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {XreadInterceptor} from '../../../src/lib/redis/xread-interceptor.js';
import {bytes, streamId} from '../arbitraries.js';
import {entriesReply, rangeReply} from './entry-replies.js';

const fields = fc.array(fc.tuple(bytes, bytes), {minLength: 1, maxLength: 3});
const entry = fc.record({id: streamId, fields});
const entries = fc.array(entry, {minLength: 1, maxLength: 4});
const line = fc.constantFrom(':1\r\n', ':0\r\n', '+OK\r\n', '-NOPERM no\r\n');
const nothing = fc.constantFrom('*-1\r\n', '-NOGROUP no such group\r\n', '-UNBLOCKED the key is gone\r\n');

/** What is asked for, what comes, and what ioredis is to see of it. */
const reply = fc.oneof(
  line.map((text) => ({awaited: 'line', bytes: Buffer.from(text), seen: text}) as const),
  nothing.map((text) => ({awaited: 'entries', bytes: Buffer.from(text), seen: text}) as const),
  entries.map((sent) => ({awaited: 'entries', bytes: entriesReply('s', sent), seen: ':1\r\n', sent}) as const),
  fc
    .array(entry, {maxLength: 4})
    .map((sent) => ({awaited: 'range', bytes: rangeReply(sent), seen: ':1\r\n', sent}) as const),
);
/** Of commands that the tap is not told of. */
const after = fc.constantFrom('', '*1\r\n$1\r\na\r\n', ':5\r\n$2\r\nxy\r\n');
const cuts = fc.array(fc.nat({max: 60}), {minLength: 1, maxLength: 20});

it('ioredis sees a number in place of entries, and all else as it comes, whatever the chunks', () => {
  fc.assert(
    fc.property(fc.array(reply, {minLength: 1, maxLength: 8}), after, cuts, (replies, rest, sizes) => {
      const socket = new EventEmitter();
      let seen = '';
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
      });
      const interceptor = new XreadInterceptor(socket as Socket);
      interceptor.expect(...replies.map(({awaited}) => awaited));
      const stream = Buffer.concat([...replies.map((each) => each.bytes), Buffer.from(rest)]);
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = 1 + sizes[turn % sizes.length]!;
        socket.emit('data', Buffer.from(stream.subarray(at, at + size)));
        at += size;
      }
      expect(seen).toBe(`${replies.map((each) => each.seen).join('')}${rest}`);
      for (const each of replies) {
        if (!('sent' in each)) continue;
        const records = interceptor.entries()!.records({stream: 's'});
        expect(records.map((record) => ({id: record.id, fields: record.fields}))).toEqual(each.sent);
      }
    }),
  );
});
