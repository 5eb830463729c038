/**
 * The bytes that frame replies and commands (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/),
 * and the most that a server may send of entries.
 */
export const CR = 0x0d;
export const LF = 0x0a;
/** A line ends with both of them. */
export const LINE_END = 2;
export const STRING = 0x24;
export const STATUS = 0x2b;
export const ERROR = 0x2d;
export const INTEGER = 0x3a;
export const ARRAY = 0x2a;
/** Before the digits of a number. */
export const MINUS = 0x2d;
export const ZERO = 0x30;
/** What Redis itself allows: the default of proto-max-bulk-len. */
export const MAX_STRING_BYTES = 512 * 1024 ** 2;
/** Of one reply, as of a page of entries. */
export const MAX_REPLY_BYTES = 2 * MAX_STRING_BYTES;
/** Of one array; of one reply, those of nested arrays included. */
export const MAX_ELEMENTS = 8 * 1024 ** 2;
