import {expect, it} from 'vitest';
import {HeldRequests} from '../../../src/lib/serve/held-requests.js';
import type {IdempotentCall} from '../../../src/lib/stream-client.js';

/** A request of so many bytes. */
const call = (bytes: number): IdempotentCall => ({
  bytes: [Buffer.alloc(bytes)],
  first: 1,
  records: 1,
  atomic: false,
  byteLength: bytes,
});

it('the newest request is held, however many bytes there were before it', () => {
  const held = new HeldRequests({ms: 60_000, warn: () => {}});
  for (let n = 1; n <= 5; n++) {
    held.keep('events', call(9 * 1024 ** 2), `${n}-0`);
    expect([n, held.isEmpty]).toEqual([n, false]);
  }
});
