import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Writable} from 'node:stream';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {OutputClosed, Sink} from '../../../src/lib/output/sink.js';
import {until} from '../../support/redis-server.js';
import {memorySink} from './memory-sink.js';

/** More than any pipe holds. */
const MUCH = 'x'.repeat(4 * 1024 * 1024);

describe('a write', () => {
  it('is done only when all of it was taken', async () => {
    let take: (error?: Error) => void = () => {};
    const slow = new Writable({
      write(_chunk, _encoding, done) {
        take = done;
      },
    });
    let taken = false;
    const written = new Sink(slow).write('data').then(() => {
      taken = true;
    });
    await nextTurn();
    expect(taken).toBe(false);
    take();
    await written;
    expect(taken).toBe(true);
  });

  it('waits for a slow reader of a real pipe', async () => {
    const reader = spawn('sh', ['-c', 'read -r go <&3; exec wc -c'], {stdio: ['pipe', 'pipe', 'ignore', 'pipe']});
    const sink = new Sink(reader.stdin!);
    const events: string[] = [];
    const written = sink.write(MUCH).then(() => events.push('written'));
    await nextTurn();
    events.push('reader begins');
    (reader.stdio[3] as Writable).write('go\n');
    await written;
    expect(events).toEqual(['reader begins', 'written']);
    reader.stdin!.end();
    const [count] = await once(reader.stdout!, 'data');
    expect(Number(count)).toBe(MUCH.length);
  });

  it('keeps text and bytes as they are, in order', async () => {
    const {sink, text} = memorySink();
    await Promise.all([sink.write('a→'), sink.write(Buffer.from([0x62])), sink.write(''), sink.write('c')]);
    expect(text()).toBe('a→bc');
  });
});

describe('when the reader has gone', () => {
  it('a write into the pipe ends with OutputClosed, and all after it without being tried', async () => {
    const reader = spawn('sh', ['-c', 'exec <&-; echo closed; read -r go <&3'], {
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    });
    await once(reader.stdout!, 'data');
    const sink = new Sink(reader.stdin!);
    await expect(sink.write('data')).rejects.toBeInstanceOf(OutputClosed);
    await expect(sink.write('more')).rejects.toBeInstanceOf(OutputClosed);
    expect(() => sink.check()).toThrow(OutputClosed);
    (reader.stdio[3] as Writable).end('go\n');
    await once(reader, 'exit');
  });

  it('writes that were waiting behind the failing one fail too', async () => {
    const reader = spawn('head', ['-c', '1'], {stdio: ['pipe', 'ignore', 'ignore']});
    const sink = new Sink(reader.stdin!);
    const results = await Promise.allSettled([sink.write(MUCH), sink.write('second'), sink.write('third')]);
    expect(results.map(({status}) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('a write that was under way when the stream was destroyed fails, though Node reports it as done', async () => {
    const reader = spawn('sleep', ['60'], {stdio: ['pipe', 'ignore', 'ignore']});
    const sink = new Sink(reader.stdin!);
    const written = sink.write(MUCH);
    reader.stdin!.destroy();
    reader.kill();
    await expect(written).rejects.toBeInstanceOf(OutputClosed);
  });

  it('is noticed by looking, before anything is written', async () => {
    const tried: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        tried.push(String(chunk));
        done();
      },
    });
    let gone = false;
    const sink = new Sink(stream, () => gone);
    sink.check();
    await sink.write('before');
    gone = true;
    expect(() => sink.check()).toThrow(OutputClosed);
    gone = false;
    await expect(sink.write('after')).rejects.toBeInstanceOf(OutputClosed);
    expect(tried).toEqual(['before']);
  });

  it.each(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])('%s says so', async (code) => {
    await expect(new Sink(failing(code)).write('data')).rejects.toBeInstanceOf(OutputClosed);
  });
});

describe('when the disk is full', () => {
  it('a write ends with an io failure, and so does each later one', async () => {
    const full = createWriteStream('/dev/full');
    await once(full, 'open');
    const sink = new Sink(full);
    const failure = {kind: 'io', code: 'ENOSPC', message: 'cannot write the output: no space is left'};
    await expect(sink.write('data')).rejects.toMatchObject(failure);
    // The stream is destroyed by now; that must not pass for a reader who went away, which is a success.
    await expect(sink.write('more')).rejects.toMatchObject(failure);
    expect(() => sink.check()).toThrow(expect.objectContaining(failure));
  });

  it('a failure that has no words of its own is named by its code', async () => {
    await expect(new Sink(failing('EIO')).write('data')).rejects.toMatchObject({
      kind: 'io',
      message: 'cannot write the output: EIO',
    });
  });

  describe('in the middle of a write to standard output', () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'streamlog-sink-'));
    });
    afterEach(() => rmSync(directory, {recursive: true}));

    it('does not report the part that was taken as the whole', async () => {
      const script = join(directory, 'write.mts');
      const output = join(directory, 'output');
      const from = (module: string): string =>
        JSON.stringify(join(import.meta.dirname, `../../../src/lib/output/${module}.ts`));
      writeFileSync(
        script,
        `import {DescriptorStream} from ${from('descriptor-stream')};
        import {Sink} from ${from('sink')};
        const say = (text: string) => process.stderr.write(text + '\\n');
        new Sink(new DescriptorStream(1)).write('x'.repeat(${MUCH.length})).then(() => say('taken'), (error) => say(error.code));`,
      );
      // A limit on the size of files makes the write a short one, as a full disk does.
      const writer = spawn(
        'bash',
        ['-c', `ulimit -f 1024; exec "$0" --import tsx "$1" > "$2"`, process.execPath, script, output],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let said = '';
      writer.stderr!.on('data', (chunk) => {
        said += chunk;
      });
      await until(() => said.endsWith('\n'), 'the writer says how it went');
      expect(said).toBe('EFBIG\n');
      expect(readFileSync(output)).toHaveLength(1024 * 1024);
    });
  });
});

it('takes over the errors of its stream, so that none ends the process by itself', async () => {
  const stream = failing('EIO');
  stream.on('error', () => {
    throw new Error('another listener swallows or rethrows');
  });
  await expect(new Sink(stream).write('data')).rejects.toMatchObject({kind: 'io'});
  await nextTurn();
  expect(stream.listenerCount('error')).toBe(1);
});

/** A stream whose every write fails with `code`. */
const failing = (code: string): Writable =>
  new Writable({write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), {code}))});
