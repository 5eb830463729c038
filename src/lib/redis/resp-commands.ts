/** Commands as they are sent: RESP arrays of strings (https://redis.io/docs/latest/develop/reference/protocol-spec/), one behind the other. */
import {CR, LINE_END} from './resp-bytes.js';

export interface RespCommand {
  /** All of it. */
  readonly bytes: Buffer;
  readonly name: string;
  readonly arguments: readonly Buffer[];
}

/** Those that `bytes` is, whole. */
export function commandsIn(bytes: Buffer): RespCommand[] {
  const commands: RespCommand[] = [];
  for (let start = 0; start < bytes.length; ) {
    const parts: Buffer[] = [];
    let at = bytes.indexOf(CR, start) + LINE_END;
    for (let left = numberAt(bytes, start); left > 0; left--) {
      const first = bytes.indexOf(CR, at) + LINE_END;
      const end = first + numberAt(bytes, at);
      parts.push(bytes.subarray(first, end));
      at = end + LINE_END;
    }
    const [name, ...rest] = parts;
    commands.push({bytes: bytes.subarray(start, at), name: name?.toString('latin1') ?? '', arguments: rest});
    start = at;
  }
  return commands;
}

/** Behind a `*` or a `$`. */
const numberAt = (bytes: Buffer, at: number): number => Number(bytes.toString('latin1', at + 1, bytes.indexOf(CR, at)));
