/** The checksum of gzip: that of node:zlib, or the same in JavaScript where it has none (https://nodejs.org/api/zlib.html#zlibcrc32data-value). */
import zlib from 'node:zlib';

const POLYNOMIAL = 0xedb88320;

/** `check` is that of the bytes before. */
export const crc32: (bytes: Uint8Array, check: number) => number = zlib.crc32 ?? slowCrc32;

/** Exported for its test. */
export function slowCrc32(bytes: Uint8Array, check: number): number {
  const table = tableOfBytes();
  let value = ~check;
  for (const byte of bytes) value = table[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}

let table: Int32Array | undefined;

function tableOfBytes(): Int32Array {
  table ??= Int32Array.from({length: 256}, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : POLYNOMIAL ^ (value >>> 1);
    return value;
  });
  return table;
}
