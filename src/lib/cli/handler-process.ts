/** What a handler's process shares with ours: the environment, and where its output goes. */
import type {HandlerOptions} from '../handler/run.js';
import type {Sink} from '../output/sink.js';

export function handlerProcess(
  out: Sink,
): Pick<HandlerOptions, 'environment' | 'signalGroup' | 'writeOut' | 'writeErr'> {
  return {
    environment: process.env,
    signalGroup: (pid, signal) => {
      try {
        process.kill(-pid, signal);
      } catch {
        // The group has ended by itself.
      }
    },
    writeOut: (lines) => out.write(lines),
    writeErr: (lines) => new Promise((resolve) => process.stderr.write(lines, () => resolve())),
  };
}
