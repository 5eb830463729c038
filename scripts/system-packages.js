// Programs that npm does not bring: finds them on the path, and has the
// system's package manager install those that are missing. Never asks for a
// password, and leaves no service running that was not there before.
import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync, statSync} from 'node:fs';
import {delimiter, join} from 'node:path';

const PROMETHEUS = {
  'apt-get': ['prometheus'],
  dnf: ['golang-github-prometheus', 'prometheus'],
  apk: ['prometheus'],
  brew: ['prometheus'],
};

/** What has another name as a program than as a package. Any of its programs will do; its packages are tried in order. */
const NEEDS = {
  redis: {
    programs: ['redis-server', 'valkey-server'],
    packages: {
      'apt-get': ['redis-server', 'valkey-server'],
      dnf: ['redis', 'valkey'],
      apk: ['redis', 'valkey'],
      brew: ['redis', 'valkey'],
    },
  },
  flock: {
    programs: ['flock'],
    packages: {'apt-get': ['util-linux'], dnf: ['util-linux-core'], apk: ['flock'], brew: ['flock']},
  },
  man: {
    programs: ['man'],
    packages: {'apt-get': ['man-db'], dnf: ['man-db'], apk: ['mandoc'], brew: ['man-db']},
  },
  prometheus: {programs: ['prometheus'], packages: PROMETHEUS},
  promtool: {programs: ['promtool'], packages: PROMETHEUS},
  script: {
    programs: ['script'],
    packages: {'apt-get': ['bsdutils'], dnf: ['util-linux'], apk: ['util-linux-misc'], brew: ['util-linux']},
  },
};

/** Needs whose package may start a service. */
const SERVICES = ['redis', 'prometheus', 'promtool'];

/** In the order in which they are tried. */
const MANAGERS = [
  {
    program: 'apt-get',
    asRoot: true,
    refresh: ['update', '-qq'],
    install: ['install', '-qq', '--yes', '--no-install-recommends'],
  },
  {
    program: 'dnf',
    asRoot: true,
    install: ['install', '--quiet', '--assumeyes', '--setopt=install_weak_deps=False'],
  },
  {program: 'apk', asRoot: true, install: ['add', '--quiet', '--no-cache']},
  {program: 'brew', asRoot: false, install: ['install', '--quiet']},
];

/** Where Debian puts programs that only root has on the path. */
const SYSTEM_DIRECTORY = '/usr/sbin';

/** Whether `program` can be started by its name alone, or is one of the system's. */
export const isOnPath = (program) =>
  [...(process.env.PATH ?? '').split(delimiter), SYSTEM_DIRECTORY].some((directory) =>
    isExecutable(join(directory || '.', program)),
  );

/** Makes sure that `need`, one of the above or a program, is there. Throws one line that says what to install. */
export function provide(need) {
  const programs = NEEDS[need]?.programs ?? [need];
  const isMet = () => programs.some(isOnPath);
  if (isMet()) return;
  const missing = `${programs.join(' or ')} is not on the path`;
  const present = MANAGERS.filter(({program}) => isOnPath(program));
  const manager = present.find(({asRoot}) => !asRoot || canBeRoot());
  if (manager === undefined) throw new Error(`${missing}; ${adviceFor(need, present[0])}`);

  process.stderr.write(`setup: installing ${programs[0]} with ${manager.program}\n`);
  if (manager.refresh !== undefined) run(manager, manager.refresh);
  const reasons = [];
  for (const name of packagesOf(need, manager)) {
    reasons.push(run(manager, [...manager.install, name]));
    // Judged by what it came to: a package can be installed and its service still fail to start.
    if (!isMet()) continue;
    if (SERVICES.includes(need)) stopService(manager, name);
    return;
  }
  throw new Error(`${missing}, and ${manager.program} cannot install it (${reasons[0]}); install it yourself`);
}

const packagesOf = (need, {program}) => NEEDS[need]?.packages[program] ?? [need];

/** What to do where there is no package manager, or one that we may not use. */
function adviceFor(need, manager) {
  if (manager === undefined) return 'install it yourself';
  return `run as root: ${manager.program} ${manager.install[0]} ${packagesOf(need, manager)[0]}`;
}

/** Debian starts what it installs; we want the program, not a second server on the usual port. */
function stopService(manager, name) {
  if (manager.program !== 'apt-get') return;
  if (existsSync('/run/systemd/system')) run({...manager, program: 'systemctl'}, ['disable', '--quiet', '--now', name]);
  else if (isOnPath('service')) run({...manager, program: 'service'}, [name, 'stop']);
}

/** Runs the manager quietly; returns the last line that it complained with. */
function run({program, asRoot}, args) {
  const sudo = asRoot && !isRoot() ? ['sudo', '-n'] : [];
  const [command, ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', program, ...args];
  const {stdout, stderr} = spawnSync(command, rest, {stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8'});
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  return lines.at(-1)?.trim() ?? 'it gave no reason';
}

const isRoot = () => process.getuid?.() === 0;
const canBeRoot = () =>
  isRoot() || (isOnPath('sudo') && spawnSync('sudo', ['-n', 'true'], {stdio: 'ignore'}).status === 0);

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
