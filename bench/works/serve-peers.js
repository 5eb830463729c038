// The HTTP servers that serve is set beside: each is started on a free port, or
// says why it is missing.
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {listening} from '../measure/children.js';
import {fieldsOf, SHAPES} from '../measure/inputs.js';
import {builds, peer, program, python, root, runtimes} from '../measure/programs.js';
import {freePort} from '../measure/server.js';

/**
 * Starts them all.
 * @returns for each `{name, url(stream), body(stream), missing, noBatch}`; without `body` it takes JSON and NDJSON
 */
export async function startServers(bench) {
  const servers = [];
  for (const {name, missing, start, ...how} of [...ours(bench), webdis(bench), fastApi(bench), ...nodeHttp(bench)]) {
    const port = await freePort();
    if (missing === undefined) await start(port);
    const url = (stream) => `http://127.0.0.1:${port}${how.path?.(stream) ?? `/streams/${stream}`}`;
    servers.push({name, missing, url, ...how});
  }
  return servers;
}

export function readLastLine(path) {
  return readFileSync(path, 'utf8').trim().split('\n').at(-1);
}

function ours(bench) {
  const env = {STREAMLOG_URL: bench.server.url};
  return builds(bench).map(({prefix, argv}) => ({
    name: `${prefix}streamlog serve`,
    start: (port) => listening([...argv, 'serve', '-q', '--listen', `127.0.0.1:${port}`], port, {env}),
  }));
}

/** As Debian configures it, in the foreground and without a log: the command comes as a path in the body. */
function webdis({server, directory}) {
  const {missing} = program('webdis');
  const words = (stream) => ['XADD', stream, '*', ...fieldsOf(SHAPES.flat(0)).flat()];
  return {
    name: 'webdis',
    missing,
    noBatch: 'it takes one command a request',
    path: () => '/',
    // It takes what follows a dot for a format.
    body: (stream) => words(stream).map(encodeURIComponent).join('/').replaceAll('.', '%2e'),
    start(port) {
      const file = join(directory, 'webdis.json');
      const redis = {redis_host: '127.0.0.1', redis_port: server.port, redis_auth: null, database: 0};
      const http = {http_host: '127.0.0.1', http_port: port, threads: 2, daemonize: false};
      writeFileSync(file, JSON.stringify({...redis, ...http, verbosity: 0, logfile: join(directory, 'webdis.log')}));
      return listening(['webdis', file], port);
    },
  };
}

function fastApi({server}) {
  const modules = ['fastapi', 'uvicorn', 'redis.asyncio'];
  const found = python(modules, 'python3-fastapi uvicorn python3-redis python3-uvloop python3-httptools');
  const uvicorn = ['-m', 'uvicorn', 'serve_fastapi:app', '--no-access-log', '--log-level', 'warning', '--port'];
  return {
    name: 'FastAPI + uvicorn + redis-py',
    missing: found.missing,
    start: (port) =>
      listening([...found.argv, ...uvicorn, String(port)], port, {
        cwd: join(root, 'bench/peers'),
        env: {REDIS_PORT: String(server.port), PYTHONDONTWRITEBYTECODE: '1'},
      }),
  };
}

function nodeHttp({server}) {
  return runtimes().map(({name, argv, missing}) => ({
    name: `node:http + ioredis, ${name}`,
    missing,
    start: (port) => listening([...argv, peer('serve-node-http.js'), String(server.port), String(port)], port),
  }));
}
