/**
 * Protocol bytes → commands, as the specification of RESP says: a second opinion
 * on what we write. Bytes come as characters (latin1), which are fast to compare.
 */
export function readCommands(bytes: Buffer): string[][] {
  let at = 0;
  const number = (type: string): number => {
    const end = bytes.indexOf('\r\n', at, 'latin1');
    const line = bytes.toString('latin1', at, end);
    if (end === -1 || line[0] !== type || !/^.(0|[1-9]\d*)$/.test(line))
      throw new Error(`not ${type} at ${at}: ${line}`);
    at = end + 2;
    return Number(line.slice(1));
  };
  const string = (): string => {
    const length = number('$');
    const value = bytes.toString('latin1', at, at + length);
    at += length + 2;
    if (value.length < length || bytes.toString('latin1', at - 2, at) !== '\r\n')
      throw new Error(`no end before ${at}`);
    return value;
  };
  const commands: string[][] = [];
  while (at < bytes.length) commands.push(Array.from({length: number('*')}, string));
  return commands;
}
