/** What a line of --trace says of a command. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {ReplyHandler} from '../../../src/lib/redis/add-connection.js';
import {describe as described, traceReplies} from '../../../src/lib/redis/command-trace.js';
import {RespWriter} from '../../../src/lib/redis/resp-writer.js';

describe('a command', () => {
  it.each([
    ['xadd', ['events', '*', 'type', 'login'], 'XADD events * type login'],
    ['xadd', ['s', '*', 'a', ''], 'XADD s * a ""'],
    ['xadd', ['s', '*', 'a', 'two words'], 'XADD s * a "two words"'],
    ['xadd', ['s', '*', 'a', 'q"\\\n\t'], 'XADD s * a "q\\"\\\\\\n\\x09"'],
    ['xadd', ['s', '*', 'a', Buffer.from([0x61, 0xff, 0])], 'XADD s * a "a\\xff\\x00"'],
    ['xadd', ['s', '*', 'a', 'zürich🙂'], 'XADD s * a "zürich🙂"'],
    ['xadd', ['s', '*', 'a', '\u202e\u009b'], 'XADD s * a "\\xe2\\x80\\xae\\xc2\\x9b"'],
    ['get', ['x'.repeat(81)], `GET ${'x'.repeat(80)}…`],
    ['xdel', ['s', ...Array.from({length: 1_215}, (_, at) => `${at}-0`)], /^XDEL s 0-0 .* 14-0 … \(1,200 more\)$/],
  ])('%s %j', (name, args, line) => {
    if (line instanceof RegExp) expect(described(name, args)).toMatch(line);
    else expect(described(name, args)).toBe(line);
  });

  it('has no character that a terminal acts upon, whatever is in it, and no more than it may', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({unit: 'binary'}),
            fc.uint8Array({maxLength: 200}).map((all) => Buffer.from(all)),
          ),
        ),
        (args) => {
          const line = described('xadd', args);
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          expect(Buffer.byteLength(line)).toBeLessThan(16 * (80 * 4 + 8) + 40);
        },
      ),
    );
  });
});

describe('a batch', () => {
  const bytesOf = (...commands: string[][]): Uint8Array => {
    const writer = new RespWriter();
    for (const command of commands) writer.command(command);
    return writer.take();
  };
  const handlerOf = (replies: number): ReplyHandler & {awaits: number} => ({
    awaits: replies,
    text() {
      this.awaits--;
    },
    integer() {
      this.awaits--;
    },
    nil() {
      this.awaits--;
    },
    refused() {
      this.awaits--;
    },
    lost() {},
  });

  it('is one line, once its last reply has come', () => {
    const lines: string[] = [];
    const adds = Array.from({length: 1_000}, () => ['XADD', 'events', '*', 'a', '1']);
    const traced = traceReplies([bytesOf(...adds), bytesOf(['WAIT', '1', '0'])], handlerOf(1_001), (line) =>
      lines.push(line),
    );
    for (let reply = 0; reply < 1_000; reply++) traced.text(Buffer.from('1-1'), 0, 3);
    expect(lines).toEqual([]);
    traced.integer(1);
    expect(lines).toEqual([expect.stringMatching(/^XADD events … \(1,000 pipelined\), WAIT 1 0 {2}\d+(\.\d\d)? ms$/)]);
  });

  it('says that no reply came', () => {
    const lines: string[] = [];
    const traced = traceReplies([bytesOf(['XADD', 's', '*', 'a', '1'])], handlerOf(1), (line) => lines.push(line));
    traced.lost(new Error('gone') as never);
    expect(lines).toEqual([expect.stringMatching(/ ms, no reply$/)]);
  });
});
