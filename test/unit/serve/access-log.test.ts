import {describe, expect, it} from 'vitest';
import {type AccessFacts, accessLine, accessLog, type LogOutput} from '../../../src/lib/serve/access-log.js';

const NOW = new Date('2026-01-31T12:00:00.123Z');
const facts = (more: Partial<AccessFacts> = {}): AccessFacts => ({
  client: '127.0.0.1',
  method: 'POST',
  path: '/streams/events',
  status: 201,
  ms: 1.2345,
  added: 2,
  error: undefined,
  ...more,
});

describe('a line of the access log', () => {
  it('is JSON for machines', () => {
    const line = accessLine('json', facts(), NOW);
    expect(line.endsWith('}\n')).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: '2026-01-31T12:00:00.123Z',
      client: '127.0.0.1',
      method: 'POST',
      path: '/streams/events',
      status: 201,
      ms: 1.2,
      added: 2,
    });
  });

  it('is words for people', () => {
    expect(accessLine('text', facts(), NOW)).toBe(
      '2026-01-31T12:00:00.123Z 127.0.0.1 POST /streams/events 201 1.2ms added=2\n',
    );
    expect(accessLine('text', facts({status: 503, added: 0, error: 'overloaded', client: undefined}), NOW)).toBe(
      '2026-01-31T12:00:00.123Z - POST /streams/events 503 1.2ms error=overloaded\n',
    );
  });

  it.each(['json', 'text'] as const)(
    'is one line without control characters, whatever the path holds: %s',
    (format) => {
      const line = accessLine(format, facts({path: '/\n\u001b[2J\u009b\u202e\u2028x'}), NOW);
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      if (format === 'json') expect(JSON.parse(line).path).toBe('/\n\u001b[2J\u009b\u202e\u2028x');
    },
  );
});

/** Keeps what it is given; its reader takes all of it when `take` is called. */
class Output implements LogOutput {
  readonly writes: string[] = [];
  readonly warnings: string[] = [];
  waitingBytes = 0;
  take: () => void = () => {};
  readonly #taken = new Promise<void>((resolve) => {
    this.take = () => {
      this.waitingBytes = 0;
      resolve();
    };
  });

  lines(text: string): void {
    this.writes.push(text);
    this.waitingBytes += text.length;
  }
  warn(text: string): void {
    this.warnings.push(text);
  }
  flushed(): Promise<void> {
    return this.#taken;
  }
}

describe('the log', () => {
  it('writes lines of one moment at once, in their order, and none twice', async () => {
    const output = new Output();
    const {writes} = output;
    const log = accessLog('text', output)!;
    log.add(facts({path: '/1'}));
    log.add(facts({path: '/2'}));
    expect(writes).toEqual([]);
    await new Promise(setImmediate);
    expect(writes).toHaveLength(1);
    log.add(facts({path: '/3'}));
    log.flush();
    await new Promise(setImmediate);
    expect(writes.join('').match(/\/\d/g)).toEqual(['/1', '/2', '/3']);
    expect(writes).toHaveLength(2);
  });

  it.each([1, 100_000])('drops what nobody takes, counts it and says so once, %i lines at a time', async (burst) => {
    const output = new Output();
    const log = accessLog('text', output)!;
    const lines = 100_000;
    for (let at = 1; at <= lines; at++) {
      log.add(facts({path: `/${at}`}));
      if (at % burst === 0) log.flush();
    }
    const written = output.writes.join('');
    expect(written.length).toBeLessThan(1_100_000);
    const last = Number(/.*\/(\d+) .*\n$/.exec(written)![1]);
    expect([log.dropped, output.warnings]).toEqual([lines - last, []]);
    output.take();
    await new Promise(setImmediate);
    expect(output.warnings).toEqual([expect.stringMatching(`^${lines - last} lines of the access log were dropped`)]);
    log.add(facts({path: '/again'}));
    log.flush();
    expect([output.writes.at(-1), log.dropped]).toEqual([expect.stringContaining('/again'), lines - last]);
  });

  it('is none when it is off', () => {
    expect(accessLog('off', new Output())).toBeUndefined();
  });
});
