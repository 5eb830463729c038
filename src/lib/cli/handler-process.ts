/**
 * What a handler's process gets from ours: the environment without our secrets, a place for its
 * output, and its end. Invariant: unless this process is killed, no handler outlives it.
 */
import type {HandlerOptions} from '../handler/run-handler.js';
import type {Sink} from '../output/sink.js';
import {environmentForOthers} from './environment.js';
import {standardError} from './standard-streams.js';

export function handlerProcess(out: Sink): Omit<HandlerOptions, 'command' | 'timeoutMs'> {
  /** Process groups, and whether each has got a signal. */
  const running = new Map<number, boolean>();
  const signalGroup = (pid: number, signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (running.has(pid)) running.set(pid, true);
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has ended by itself.
    }
  };
  // After the second signal, or when --drain has passed.
  process.once('exit', () => {
    for (const [pid, signalled] of running) signalGroup(pid, signalled ? 'SIGKILL' : 'SIGTERM');
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
