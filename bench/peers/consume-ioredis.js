// A stream as a new group, as NDJSON to standard output, as one writes it with ioredis: read a batch, write it,
// acknowledge it.
//   consume-ioredis.js PORT STREAM GROUP BATCH
import {once} from 'node:events';
import {Redis} from 'ioredis';

const [port, stream, group, batch] = process.argv.slice(2);
const redis = new Redis({port: Number(port), host: '127.0.0.1'});
await redis.xgroup('CREATE', stream, group, '0');
for (;;) {
  const reply = await redis.xreadgroup('GROUP', group, 'w1', 'COUNT', batch, 'STREAMS', stream, '>');
  if (reply === null) break;
  const entries = reply[0][1];
  let text = '';
  for (const [id, words] of entries) {
    const fields = {};
    for (let i = 0; i < words.length; i += 2) fields[words[i]] = words[i + 1];
    text += `${JSON.stringify({stream, id, fields, group, consumer: 'w1', deliveries: 1})}\n`;
  }
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  await redis.xack(stream, group, ...entries.map(([id]) => id));
}
redis.disconnect();
