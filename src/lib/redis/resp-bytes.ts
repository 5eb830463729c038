/** The bytes that frame replies and commands (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/). */
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
