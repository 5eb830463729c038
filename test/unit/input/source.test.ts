import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {fileSize, InputCut, readFile, readSource} from '../../../src/lib/input/source.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-source-'));
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

const source = (chunks: AsyncIterable<Uint8Array | string>, stopping = new AbortController().signal) =>
  readSource(chunks, {name: 'standard input', stopping});

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

describe('a source', () => {
  it('hands its chunks over and tells their length, and 0 at the end', async () => {
    async function* two(): AsyncGenerator<string> {
      yield 'ab';
      yield 'c';
    }
    const lengths: number[] = [];
    const found: unknown[] = [];
    const {signal: stopping} = new AbortController();
    for await (const chunk of readSource(two(), {name: 'x', stopping, onBytes: (bytes) => lengths.push(bytes)})) {
      found.push(chunk);
    }
    expect(found).toEqual(['ab', 'c']);
    expect(lengths).toEqual([2, 1, 0]);
  });

  it('is cut off at once when asked to stop while it waits for more', async () => {
    async function* waiting(): AsyncGenerator<string> {
      yield 'first';
      await new Promise(() => {});
    }
    const stop = new AbortController();
    const chunks = source(waiting(), stop.signal);
    expect((await chunks.next()).value).toBe('first');
    const next = chunks.next();
    await nextTurn();
    stop.abort();
    await expect(next).rejects.toThrow(InputCut);
  });

  it('is not read any more when the stop came before', async () => {
    const stop = new AbortController();
    stop.abort();
    async function* unread(): AsyncGenerator<string> {
      yield 'must not be read';
    }
    await expect(source(unread(), stop.signal).next()).rejects.toThrow(InputCut);
  });

  it('does not keep what it handed over: an input of any length fits', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const handedOver: WeakRef<Uint8Array>[] = [];
    async function* many(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 50; index++) yield new Uint8Array(1_000);
    }
    const chunks = source(many());
    for (let index = 0; index < 50; index++) {
      const {value} = await chunks.next();
      handedOver.push(new WeakRef(value as Uint8Array));
    }
    await nextTurn();
    collect();
    const kept = handedOver.filter((reference) => reference.deref() !== undefined);
    expect(kept.length).toBeLessThan(5);
  });

  it('says what it was that could not be read', async () => {
    // biome-ignore lint/correctness/useYield: a source that fails at once
    async function* failing(): AsyncGenerator<string> {
      throw Object.assign(new Error('read'), {code: 'EIO'});
    }
    await expect(source(failing()).next()).rejects.toMatchObject({
      kind: 'io',
      message: 'cannot read standard input: EIO',
    });
  });
});

describe('a file', () => {
  it('comes with its size, for progress', async () => {
    const path = join(directory, 'events');
    writeFileSync(path, 'x'.repeat(300_000));
    let read = 0;
    for await (const chunk of readFile(path, 0)) read += chunk.length;
    expect([read, fileSize(path)]).toEqual([300_000, 300_000]);
  });

  it('is read from where reading ended before', async () => {
    const path = join(directory, 'resumed');
    writeFileSync(path, 'read\nunread\n');
    expect(await textOf(readFile(path, 5))).toBe('unread\n');
    expect(await textOf(readFile(path, 12))).toBe('');
  });

  it('may be a pipe with a name, as the shell makes it of <(…)', async () => {
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const [text] = await Promise.all([textOf(readFile(path, 0)), writeFile(path, 'one\ntwo\n')]);
    expect(text).toBe('one\ntwo\n');
  });

  it('that is missing, or a directory, is an I/O failure with its path', async () => {
    expect(() => fileSize(join(directory, 'missing'))).toThrow(StreamlogError);
    expect(() => fileSize(join(directory, 'missing'))).toThrow(
      expect.objectContaining({kind: 'io', message: expect.stringContaining('missing: no such file')}),
    );
    const {signal: stopping} = new AbortController();
    const chunks = readSource(readFile(directory, 0), {name: directory, stopping});
    await expect(chunks.next()).rejects.toMatchObject({
      kind: 'io',
      message: `cannot read ${directory}: it is a directory`,
    });
  });
});
