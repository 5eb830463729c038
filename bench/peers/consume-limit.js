// The server's own limit for a group that reads and acknowledges: the commands are known in advance, since the IDs of
// the stream are, so all are sent without a pause and their replies are thrown away. Nothing is written. No consumer
// can be faster.
//   consume-limit.js PORT STREAM GROUP BATCH ENTRIES
import {encode, filledId} from '../measure/inputs.js';
import {sendAll} from '../measure/raw.js';

const [port, stream, group, batch, entries] = process.argv
  .slice(2)
  .map((word) => (/^\d+$/.test(word) ? Number(word) : word));
await sendAll(port, commands());

function* commands() {
  yield encode(['XGROUP', 'CREATE', stream, group, '0']);
  const read = encode(['XREADGROUP', 'GROUP', group, 'w1', 'COUNT', String(batch), 'STREAMS', stream, '>']);
  for (let n = 0; n < entries; n += batch) {
    const length = Math.min(batch, entries - n);
    yield read + encode(['XACK', stream, group, ...Array.from({length}, (_, i) => filledId(n + i))]);
  }
}
