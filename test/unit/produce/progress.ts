import type {Progress} from '../../../src/lib/produce/in-flight-window.js';

/** A position in an input that is told from others by one number. */
export const progress = (number: number): Progress => ({position: {bytes: number, line: number}, records: number});
