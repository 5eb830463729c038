// Entries over HTTP, as one writes it with node:http and ioredis: an XADD a POST, gathered by auto-pipelining; a batch
// of NDJSON as one pipeline. No limits, no authentication, no checks beyond JSON.parse.
//   serve-node-http.js REDIS-PORT HTTP-PORT
import {createServer} from 'node:http';
import {Redis} from 'ioredis';

const [redisPort, port] = process.argv.slice(2).map(Number);
const redis = new Redis({port: redisPort, host: '127.0.0.1', enableAutoPipelining: true});

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (piece) => {
    body += piece;
  });
  request.on('end', () => {
    add(request, body).then(
      (answer) => response.writeHead(201, {'Content-Type': 'application/json'}).end(JSON.stringify(answer)),
      () => response.writeHead(500).end(),
    );
  });
}).listen(port, '127.0.0.1');

async function add({url, headers}, body) {
  const stream = decodeURIComponent(url.slice('/streams/'.length));
  if (headers['content-type'] === 'application/json') {
    return {id: await redis.xadd(stream, '*', ...wordsOf(body))};
  }
  const pipeline = redis.pipeline();
  for (const line of body.split('\n')) if (line !== '') pipeline.xadd(stream, '*', ...wordsOf(line));
  const replies = await pipeline.exec();
  for (const [error] of replies) if (error) throw error;
  return {ids: replies.map(([, id]) => id)};
}

function wordsOf(line) {
  const words = [];
  for (const [name, value] of Object.entries(JSON.parse(line))) {
    words.push(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return words;
}
