// NDJSON from standard input into a stream, as one writes it with node-redis: 1,000 XADDs in flight, which it pipelines
// by itself, while the next 1,000 are read.
//   produce-node-redis.js PORT STREAM
import {createInterface} from 'node:readline';
import {createClient} from 'redis';

const [port, stream] = process.argv.slice(2);
const redis = await createClient({socket: {port: Number(port), host: '127.0.0.1'}}).connect();
let adding = [];
let sent = Promise.resolve();
for await (const line of createInterface({input: process.stdin})) {
  const fields = {};
  for (const [name, value] of Object.entries(JSON.parse(line))) {
    fields[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  adding.push(redis.xAdd(stream, '*', fields));
  if (adding.length === 1_000) {
    await sent;
    sent = Promise.all(adding);
    adding = [];
  }
}
await sent;
await Promise.all(adding);
redis.destroy();
