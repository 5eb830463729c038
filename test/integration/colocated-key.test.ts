/** Names of keys beside a stream, where Redis itself says which slot they are in. */
import fc from 'fast-check';
import {expect, it, onTestFinished} from 'vitest';
import {colocatedKey, deadLetterKey} from '../../src/lib/colocated-key.js';
import {decodeName, encodeName} from '../../src/lib/records/names.js';
import {startRedis} from '../support/redis-server.js';

it('are in the slot of the stream, by CLUSTER KEYSLOT', async () => {
  const server = await startRedis({args: ['--cluster-enabled', 'yes']});
  onTestFinished(() => server.stop());
  const piece = fc.constantFrom('{', '}', 'a', 'events', ':', 'ü', '%');
  const text = fc.array(piece, {maxLength: 6}).map((pieces) => pieces.join(''));
  const name = fc.oneof(
    text,
    fc.uint8Array({maxLength: 8}).map((array) => decodeName(Buffer.from(array))),
  );
  const streams = [...fc.sample(name, 500), '', '}', '{}', '}{', '{}a', '{}{a}', 'a}b', '{a}{b}', '{{a}}'];
  const slots = async (keys: readonly string[]): Promise<unknown[]> => {
    const pipeline = server.redis.pipeline();
    for (const key of keys) pipeline.call('CLUSTER', 'KEYSLOT', encodeName(key));
    return (await pipeline.exec())!.map(([error, slot]) => error ?? slot);
  };
  const expected = await slots(streams);
  expect(await slots(streams.map((stream) => colocatedKey('producer', stream, 'p')))).toEqual(expected);
  expect(await slots(streams.map((stream) => deadLetterKey(stream)))).toEqual(expected);
});
