import {expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import type {CommandConnection} from '../../../src/lib/redis/command-connection.js';
import {RequestRetries, type RetryPolicy} from '../../../src/lib/redis/request-retries.js';

const away = (): StreamlogError => new StreamlogError('unreachable', 'away', {code: 'ECONNREFUSED'});

/** Connections that are numbered as they are opened, where `opens` says that it can be done. */
function retries(policy: Partial<RetryPolicy>, opens: (attempt: number) => boolean, mayFailOver = true) {
  const seen = {attempts: 0, adopted: 0, closed: [] as number[], lines: [] as string[]};
  const open = async (): Promise<CommandConnection> => {
    const attempt = ++seen.attempts;
    if (!opens(attempt)) throw away();
    return {close: () => seen.closed.push(attempt)} as unknown as CommandConnection;
  };
  const adopt = (): void => {
    seen.adopted++;
  };
  const all = {forMs: 60_000, onProblem: (line: string) => seen.lines.push(line), ...policy};
  return {seen, retries: new RequestRetries(open, adopt, all, mayFailOver)};
}

it('what was waited for in vain is tried once more by each later command, and waited for no more', async () => {
  const {seen, retries: requests} = retries({forMs: 150}, () => false);
  await expect(requests.run('xinfo', async () => {})).rejects.toMatchObject({message: 'away'});
  expect(seen.attempts).toBeGreaterThan(1);
  const before = seen.attempts;
  for (let n = 0; n < 3; n++) await expect(requests.run('xinfo', async () => {})).rejects.toThrow('away');
  expect(seen.attempts).toBe(before + 3);
  expect(seen.lines).toHaveLength(1);
});

it('a connection that was lost is closed, once, and all go on by the next one', async () => {
  const {seen, retries: requests} = retries({}, () => true);
  let first: CommandConnection | undefined;
  const work = async (connection: CommandConnection): Promise<string> => {
    first ??= connection;
    if (connection === first) throw away();
    return 'done';
  };
  expect(await Promise.all([requests.run('xinfo', work), requests.run('xrange', work)])).toEqual(['done', 'done']);
  expect(seen).toMatchObject({attempts: 2, adopted: 2, closed: [1]});
});

it('what may have been done is not done again', async () => {
  const {seen, retries: requests} = retries({}, () => true);
  await expect(requests.run('xadd', () => Promise.reject(away()))).rejects.toThrow('away');
  expect(seen).toMatchObject({attempts: 1, lines: []});
});

it('a server that was there is waited for, though no other can take its place; one that never answered is not', async () => {
  const {seen, retries: requests} = retries({forMs: undefined}, (attempt) => attempt !== 2, false);
  let isLost = true;
  const work = async (): Promise<string> => {
    if (!isLost) return 'done';
    isLost = false;
    throw away();
  };
  expect(await requests.run('xinfo', work)).toBe('done');
  expect(seen).toMatchObject({attempts: 3, adopted: 2, closed: [1]});

  const absent = retries({forMs: undefined}, () => false, false);
  await expect(absent.retries.run('xinfo', work)).rejects.toThrow('away');
  expect(absent.seen).toMatchObject({attempts: 1, lines: []});
});

it('once the caller has closed the client, nothing is repeated', async () => {
  const {seen, retries: requests} = retries({}, () => true);
  const closing = async (): Promise<never> => {
    requests.close();
    throw away();
  };
  await expect(requests.run('xrange', closing)).rejects.toThrow('away');
  expect(seen).toMatchObject({attempts: 1, lines: []});
});
