/**
 * Consumers that were last seen long ago. Redis has no command for that, so the stream is dumped, the times in the dump are set
 * back, and it is restored (https://github.com/redis/redis/blob/7.0/src/rdb.c, rdbSaveObject of streams).
 */
import type {Redis} from 'ioredis';

/** Of a time, and of the checksum at the end. */
const TIME_BYTES = 8;

/** Has the consumers of this name, in all groups of `stream`, seen and active last `agoMs` ago. */
export async function setLastSeen(
  redis: Redis,
  stream: string,
  consumers: readonly string[],
  agoMs: number,
): Promise<void> {
  const dump = (await redis.callBuffer('DUMP', stream)) as Buffer;
  const isWithActive = dump[0]! >= 21;
  for (const consumer of consumers) {
    const name = Buffer.concat([Buffer.of(consumer.length), Buffer.from(consumer)]);
    const at = dump.indexOf(name) + name.length;
    if (at < name.length) throw new Error(`no consumer ${consumer} in the dump of ${stream}`);
    for (let time = 0; time < (isWithActive ? 2 : 1); time++)
      dump.writeBigInt64LE(BigInt(Date.now() - agoMs), at + time * TIME_BYTES);
  }
  const end = dump.length - TIME_BYTES;
  dump.writeBigUInt64LE(crc64(dump.subarray(0, end)), end);
  await redis.call('RESTORE', stream, 0, dump, 'REPLACE');
}

/** Jones' CRC-64, as Redis has it (https://github.com/redis/redis/blob/7.0/src/crc64.c). */
function crc64(bytes: Buffer): bigint {
  let crc = 0n;
  for (const byte of bytes) crc = TABLE[Number((crc ^ BigInt(byte)) & 0xffn)]! ^ (crc >> 8n);
  return crc;
}

const REFLECTED = 0x95ac9329ac4bc9b5n;
const TABLE = Array.from({length: 256}, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ REFLECTED : crc >> 1n;
  return crc;
});
