// NDJSON from standard input into a stream, as one writes it with ioredis: a pipeline() of 1,000 at a time, while the
// next 1,000 are read.
//   produce-ioredis.js PORT STREAM
import {createInterface} from 'node:readline';
import {Redis} from 'ioredis';

const [port, stream] = process.argv.slice(2);
const redis = new Redis({port: Number(port), host: '127.0.0.1'});
let pipeline = redis.pipeline();
let sent = Promise.resolve([]);
for await (const line of createInterface({input: process.stdin})) {
  const words = [];
  for (const [name, value] of Object.entries(JSON.parse(line))) {
    words.push(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  pipeline.xadd(stream, '*', ...words);
  if (pipeline.length === 1_000) await send();
}
await send();
check(await sent);
redis.disconnect();

async function send() {
  check(await sent);
  sent = pipeline.exec();
  pipeline = redis.pipeline();
}

function check(replies) {
  for (const [error] of replies) if (error) throw error;
}
