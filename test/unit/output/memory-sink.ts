/** A sink that keeps what it was given: for what is written, where test/unit/output/sink.test.ts is about how. */
import {Writable} from 'node:stream';
import {Sink} from '../../../src/lib/output/sink.js';

export function memorySink(): {sink: Sink; writes: Buffer[]; text(): string} {
  const writes: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk);
      done();
    },
  });
  return {sink: new Sink(stream), writes, text: () => Buffer.concat(writes).toString('utf8')};
}
