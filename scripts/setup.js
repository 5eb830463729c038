// Makes a fresh clone ready, and says nothing where it is ready already:
//   node scripts/setup.js                  the packages of package-lock.json
//   node scripts/setup.js --server         and a redis-server or valkey-server
//   node scripts/setup.js --test-servers   and what else only the tests need
// Runs before any package is there, so it imports nothing but Node.
import {spawnSync} from 'node:child_process';
import {existsSync, lstatSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {isOnPath, provide} from './system-packages.js';

/** What the tests run beside Node and a server. */
const TEST_PROGRAMS = [
  'bash',
  'curl',
  'fish',
  'flock',
  'git',
  'jq',
  'less',
  'logrotate',
  'man',
  'mandoc',
  'openssl',
  'prometheus',
  'promtool',
  'script',
  'tmux',
  'zsh',
];
const TEST_SERVERS = ['redis-8', 'valkey-9'];

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const wants = new Set(process.argv.slice(2));

try {
  installPackages();
  if (wants.has('--server')) provide('redis');
  if (wants.has('--test-servers')) {
    for (const program of TEST_PROGRAMS) provide(program);
    fetchTestServers();
  }
} catch (error) {
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}

/** npm writes node_modules/.package-lock.json when it has finished, so its age is the age of the installation. */
function installPackages() {
  const installed = statSync('node_modules/.package-lock.json', {throwIfNoEntry: false});
  if (installed !== undefined && installed.mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  // npm ci would empty the directory behind the link, which is that of another tree.
  if (lstatSync('node_modules', {throwIfNoEntry: false})?.isSymbolicLink()) return;
  if (!isOnPath('npm')) throw new Error('npm is not on the path; install it, it comes with Node');
  process.stderr.write('setup: installing the packages of package-lock.json\n');
  const {status} = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('npm ci failed, for the reason above; run it again once that is solved');
}

/** Newer servers beside the system's own; the script says which ones could not be had, and the tests go without. */
function fetchTestServers() {
  if (TEST_SERVERS.every((name) => existsSync(join('.cache/servers', name, 'redis-server')))) return;
  spawnSync('bash', ['scripts/fetch-test-servers.sh'], {stdio: ['ignore', 'ignore', 'inherit']});
}
