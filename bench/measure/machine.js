// Where and with what a run was made, as far as its figures depend on it.
import {cpus, loadavg, release, totalmem} from 'node:os';
import {output, python, root, runtimes} from './programs.js';

/** Load above this, on any number of cores, means that others were at work. */
const QUIET_LOAD = 0.5;

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    kernel: `${process.platform} ${release()} ${process.arch}`,
    loadBefore: loadavg()[0],
  };
}

/** Undefined on a quiet machine. */
export function busy({loadBefore}) {
  if (loadBefore <= QUIET_LOAD) return undefined;
  return `The machine was busy (load ${loadBefore.toFixed(1)} before the run): do not keep these figures.`;
}

/** Versions by name; what is not there is left out. */
export function versions(streamlog) {
  const modules = 'redis hiredis fastapi uvicorn uvloop httptools'.split(' ');
  const found = {
    streamlog: output([streamlog, '--version']),
    commit: output(['git', '-C', root, 'describe', '--always', '--dirty']),
    'redis-server': /v=(\S+)/.exec(output(['redis-server', '--version']) ?? '')?.[1],
    'redis-cli': output(['redis-cli', '--version']),
    runtimes: runtimes()
      .filter(({missing}) => missing === undefined)
      .map(({name}) => name)
      .join(', '),
    ioredis: packageVersion('ioredis'),
    'node-redis': packageVersion('redis'),
    jq: output(['jq', '--version']),
    webdis: output(['dpkg-query', '-W', '-f', '$' + '{Version}', 'webdis']),
    wrk: output(['dpkg-query', '-W', '-f', '$' + '{Version}', 'wrk']),
    python:
      modules
        .map((name) => pythonVersion(name))
        .filter((text) => text !== undefined)
        .join(', ') || undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, version]) => version !== undefined));
}

function packageVersion(name) {
  return output([process.execPath, '-p', `require('${root}/node_modules/${name}/package.json').version`]);
}

function pythonVersion(name) {
  const {argv, missing} = python([name], '');
  if (missing !== undefined) return undefined;
  const code = `import importlib.metadata as m; print(m.version('${name}'))`;
  const version = output([...argv, '-c', code]);
  return version === undefined ? undefined : `${name} ${version}`;
}
