/**
 * What a handler's process shares with ours: the environment without our secrets, where its output
 * goes, and its end. Invariant: however we end, short of being killed, no
 * handler goes on that we started.
 */
import type {HandlerOptions} from '../handler/run-handler.js';
import type {Sink} from '../output/sink.js';
import {environmentForOthers} from './environment.js';
import {standardError} from './standard-streams.js';

export function handlerProcess(out: Sink): Omit<HandlerOptions, 'command' | 'timeoutMs'> {
  /** Process groups, and whether each was told to end. */
  const running = new Map<number, boolean>();
  const signalGroup = (pid: number, signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (running.has(pid)) running.set(pid, true);
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has ended by itself.
    }
  };
  // At the second signal, or when the time to drain is over, nobody waits for them any more.
  process.once('exit', () => {
    for (const [pid, reported] of running) signalGroup(pid, reported ? 'SIGKILL' : 'SIGTERM');
  });
  return {
    environment: environmentForOthers(),
    signalGroup,
    onStart: (pid) => running.set(pid, false),
    onEnd: (pid) => running.delete(pid),
    writeOut: (lines) => out.write(lines),
    writeErr: (lines) => new Promise((resolve) => standardError.write(lines, () => resolve())),
  };
}
