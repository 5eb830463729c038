import {describe, expect, it, vi} from 'vitest';
import {BodyMemory, type HeldBody} from '../../../src/lib/serve/body.js';

const MAX_BYTES = 1_000;
/** A body of which `bytes` have come, in one piece; what it was stopped for is put into `stopped`. */
function bodyOf(memory: BodyMemory, client: string, bytes: number, stopped: string[] = []): HeldBody {
  const body = memory.begin(client, MAX_BYTES, (reason) => {
    stopped.push(`${client} ${bytes} ${reason}`);
    body.release();
  });
  if (!body.add(Buffer.alloc(bytes, 'x'))) stopped.push(`${client} ${bytes} refused`);
  return body;
}

describe('the memory for bodies', () => {
  it('has room again for what is given back, once', () => {
    const memory = new BodyMemory(100);
    const [first, second] = [bodyOf(memory, 'a', 60), bodyOf(memory, 'b', 40)];
    expect(memory.heldBytes).toBe(100);
    first.release();
    first.release();
    expect(memory.heldBytes).toBe(40);
    second.release();
    expect(memory.heldBytes).toBe(0);
  });

  it('stops a body that is held back before it refuses one, the oldest of whoever holds the most', () => {
    const memory = new BodyMemory(100);
    const stopped: string[] = [];
    bodyOf(memory, 'small', 20, stopped);
    for (const bytes of [24, 25, 26]) bodyOf(memory, 'large', bytes, stopped);
    bodyOf(memory, 'new', 30, stopped);
    expect(stopped).toEqual(['large 24 overloaded', 'large 25 overloaded']);
    expect(memory.heldBytes).toBe(76);
  });

  it('gives no client more than its share, and refuses it when nothing of its own can be stopped', () => {
    const memory = new BodyMemory(100);
    const stopped: string[] = [];
    const whole = bodyOf(memory, 'a', 70, stopped);
    whole.end();
    bodyOf(memory, 'a', 6, stopped);
    bodyOf(memory, 'b', 25, stopped);
    expect(stopped).toEqual(['a 6 refused']);
    expect(memory.isFull).toBe(false);
  });

  it('is full when all of it is held by bodies that came to their end', () => {
    const memory = new BodyMemory(100);
    const bodies = [bodyOf(memory, 'a', 50), bodyOf(memory, 'b', 50)];
    expect(memory.isFull).toBe(false);
    for (const body of bodies) body.end();
    expect(memory.isFull).toBe(true);
  });

  it('counts what is held for small pieces, and joins them without losing a byte', () => {
    const memory = new BodyMemory(1_000_000);
    const body = memory.begin('a', MAX_BYTES, () => {});
    const text = Array.from({length: MAX_BYTES}, (_, n) => String(n % 10)).join('');
    for (const digit of text) expect(body.add(Buffer.from(digit))).toBe(true);
    expect([body.bytes, body.capacity]).toEqual([MAX_BYTES, MAX_BYTES]);
    expect(memory.heldBytes).toBe(MAX_BYTES);
    expect(body.end().toString()).toBe(text);
    body.release();
    expect(memory.heldBytes).toBe(0);
  });

  it('never stops a body for what comes of itself: that is refused', () => {
    const memory = new BodyMemory(100);
    const stopped: string[] = [];
    const body = bodyOf(memory, 'a', 60, stopped);
    expect(body.add(Buffer.alloc(30))).toBe(false);
    expect(stopped).toEqual([]);
    expect(memory.heldBytes).toBe(60);
  });

  it('looks at the rate of bodies only while one is being read', () => {
    vi.useFakeTimers();
    try {
      const memory = new BodyMemory(100);
      for (let n = 0; n < 3; n++) {
        const body = bodyOf(memory, 'a', 10);
        vi.advanceTimersByTime(2_000);
        expect(vi.getTimerCount()).toBe(1);
        body.release();
        vi.advanceTimersByTime(1_000);
        expect(vi.getTimerCount()).toBe(0);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('is empty for an empty body', () => {
    const memory = new BodyMemory(10);
    const body = memory.begin('a', MAX_BYTES, () => {});
    expect(body.end()).toHaveLength(0);
    body.release();
    expect(memory.heldBytes).toBe(0);
  });
});
