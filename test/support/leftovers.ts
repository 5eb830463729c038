/**
 * Ends the servers of a test run that was itself ended before it could stop
 * them, by Ctrl-C or a time limit. A process of its own holds the list of their
 * IDs and the end of a pipe, which the system closes with us, however we go.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import type {Writable} from 'node:stream';

const WATCH = `
pids=" "
while read -r what pid; do
  case $what in
    started) pids="$pids$pid " ;;
    ended) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
[ "$pids" = " " ] || kill -9 -- $pids 2>/dev/null
`;

let list: Writable | undefined;

/** Has `child`, or the process group that it leads, killed when this process ends and it still runs. */
export function endWithUs(child: ChildProcess, {group = false}: {group?: boolean} = {}): void {
  if (child.pid === undefined) return;
  const pid = group ? -child.pid : child.pid;
  list ??= startWatching();
  list.write(`started ${pid}\n`);
  // What a group leaves behind still has its pipes.
  child.once(group ? 'close' : 'exit', () => list?.write(`ended ${pid}\n`));
}

function startWatching(): Writable {
  const watcher = spawn('sh', ['-c', WATCH], {stdio: ['pipe', 'ignore', 'ignore'], detached: true});
  watcher.unref();
  watcher.stdin.on('error', () => {});
  (watcher.stdin as unknown as {unref(): void}).unref();
  return watcher.stdin;
}
