import {describe, expect, it} from 'vitest';
import type {ReplyHandler} from '../../../src/lib/redis/add-connection.js';
import {withAsking} from '../../../src/lib/redis/ask-redirection.js';
import {commandBatch} from '../../../src/lib/redis/command-batch.js';
import {durabilityCommand} from '../../../src/lib/redis/durability.js';
import {commandsIn} from '../../../src/lib/redis/resp-commands.js';

const XADD = ['XADD', 's', '*', 'text', 'a\r\n$3\r\n*1\r\n', 'empty', ''];

class Told implements ReplyHandler {
  readonly awaits = 0;
  readonly lines: string[] = [];
  text = (bytes: Buffer, start: number, end: number): void =>
    void this.lines.push(bytes.toString('latin1', start, end));
  integer = (value: number): void => void this.lines.push(String(value));
  nil = (): void => void this.lines.push('nil');
  refused = (): void => void this.lines.push('refused');
  lost = (): void => void this.lines.push('lost');
}

describe('commands behind ASKING', () => {
  it('are told apart whatever is in them', () => {
    const commands = [XADD, ['HGET', 'k', 'mark'], XADD].map((parts) => commandBatch(parts).bytes);
    expect(commandsIn(Buffer.concat(commands)).map(({bytes}) => String(bytes))).toEqual(commands.map(String));
  });

  it('have an ASKING each, whose reply nobody is told of', () => {
    const wait = durabilityCommand({kind: 'fsync', waitMs: 1});
    const reported = new Told();
    const {bytes, takers} = withAsking(Buffer.concat([commandBatch(XADD).bytes, wait]), reported);
    expect(String(Buffer.concat(bytes)).match(/ASKING/g)).toHaveLength(2);
    const ok = Buffer.from('OK');
    takers[0]!.text(ok, 0, 2);
    takers[1]!.text(Buffer.from('1-1'), 0, 3);
    takers[2]!.text(ok, 0, 2);
    expect(takers.map(({awaits}) => awaits)).toEqual([0, 0, 0, 2]);
    takers[3]!.integer(1);
    takers[3]!.integer(0);
    expect([takers[3]!.awaits, reported.lines]).toEqual([0, ['1-1', '1', '0']]);
  });

  it('have one reply for a stream that is called as the command with two', () => {
    const {takers} = withAsking(commandBatch(['XADD', 'WAITAOF', '*', 'a', '1']).bytes, new Told());
    expect(takers.map(({awaits}) => awaits)).toEqual([1, 1]);
  });

  it('tell of a lost connection once', () => {
    const told = new Told();
    const {takers} = withAsking(Buffer.concat([commandBatch(XADD).bytes, commandBatch(XADD).bytes]), told);
    for (const callback of takers) callback.lost({} as never);
    expect(told.lines).toEqual(['lost']);
  });
});
