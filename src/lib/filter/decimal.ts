/**
 * Decimal numbers in bytes, compared digit by digit: exact at any length, without making a number or a string. Invariant:
 * two that are equal as numbers compare as equal, however they are written (`1`, `1.0`, `10e-1`).
 */
const [PLUS, MINUS, POINT, ZERO, NINE, SMALL_E, LARGE_E] = [0x2b, 0x2d, 0x2e, 0x30, 0x39, 0x65, 0x45];
/** Digits of an exponent. A longer one is no number here. */
const MOST_EXPONENT_DIGITS = 12;

export class Decimal {
  /** -1, 0 or 1. */
  #sign = 0;
  /** The power of ten of the first digit that is not 0. */
  #magnitude = 0;
  /** From the first digit that is not 0 to behind the last digit; a point may be among them. */
  #bytes: Uint8Array = new Uint8Array(0);
  #first = 0;
  #end = 0;

  /** The number that `text` is; undefined when it is none. */
  static of(text: Uint8Array): Decimal | undefined {
    const decimal = new Decimal();
    return decimal.read(text, 0, text.length) ? decimal : undefined;
  }

  /** Becomes the number in `bytes` from `start` to before `end`; false when there is none. It refers to `bytes`. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    const isNegative = bytes[at] === MINUS && at < end;
    if (at < end && (isNegative || bytes[at] === PLUS)) at++;
    const digits = this.#readDigits(bytes, at, end);
    if (digits === undefined) return false;
    at = digits;
    let exponent = 0;
    if (at < end && (bytes[at] === SMALL_E || bytes[at] === LARGE_E)) {
      const value = readExponent(bytes, at + 1, end);
      if (value === undefined) return false;
      exponent = value;
      at = end;
    }
    if (at < end) return false;
    this.#sign = this.#first === -1 ? 0 : isNegative ? -1 : 1;
    this.#magnitude += exponent;
    return true;
  }

  /** Negative, zero or positive as it is below, equal to or above `other`. */
  compare(other: Decimal): number {
    if (this.#sign !== other.#sign || this.#sign === 0) return this.#sign - other.#sign;
    const size = this.#magnitude - other.#magnitude || this.#compareDigits(other);
    return this.#sign * size;
  }

  /** Behind the digits, which may have a point among, before or behind them; undefined where there is no digit. */
  #readDigits(bytes: Uint8Array, start: number, end: number): number | undefined {
    let at = start;
    let [count, point, first] = [0, -1, -1];
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === POINT) {
        if (point !== -1) return undefined;
        point = at;
      } else {
        if (byte < ZERO || byte > NINE) break;
        if (first === -1 && byte !== ZERO) first = at;
        count++;
      }
    }
    if (count === 0) return undefined;
    const unit = point === -1 ? at : point;
    this.#bytes = bytes;
    this.#first = first;
    this.#end = at;
    this.#magnitude = first < unit ? unit - first - 1 : unit - first;
    return at;
  }

  #compareDigits(other: Decimal): number {
    const [a, b] = [this.#bytes, other.#bytes];
    let [atA, atB] = [this.#first, other.#first];
    while (atA < this.#end || atB < other.#end) {
      if (atA < this.#end && a[atA] === POINT) atA++;
      if (atB < other.#end && b[atB] === POINT) atB++;
      const digitA = atA < this.#end ? a[atA++]! : ZERO;
      const digitB = atB < other.#end ? b[atB++]! : ZERO;
      if (digitA !== digitB) return digitA - digitB;
    }
    return 0;
  }
}

/** All of it has to be an exponent. */
function readExponent(bytes: Uint8Array, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === MINUS;
  const first = isNegative || bytes[start] === PLUS ? start + 1 : start;
  if (first >= end || end - first > MOST_EXPONENT_DIGITS) return undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
