/** Sources for readers of input: bytes as they arrive, in whatever pieces, and everything that a reader made of them. */
import fc from 'fast-check';
import {type InputItem, type InputPage, isBadLine} from '../../../src/lib/input/input-item.js';
import {FlatRecord} from '../../../src/lib/records/raw-fields.js';

export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array, void, void> {
  yield* parts;
}

/** An item that stays as it is: for a flat record, the good line that it stands for; without `head`, which depends on the chunks. */
export function lasting(item: InputItem): InputItem {
  if (item instanceof FlatRecord) return {line: item.line, fields: item.fields};
  if (!isBadLine(item)) return item;
  const {head, ...badLine} = item;
  return badLine;
}

/** What a page still holds. */
export function itemsOf(page: InputPage): InputItem[] {
  const items: InputItem[] = [];
  for (let item = page.next(); item !== undefined; item = page.next()) items.push(lasting(item));
  return items;
}

export async function allItems(pages: AsyncIterable<InputPage>): Promise<InputItem[]> {
  const all: InputItem[] = [];
  for await (const page of pages) all.push(...itemsOf(page));
  return all;
}

export async function allOf<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

/** The pieces of `bytes` when it is cut at each of `cuts`, given as shares of its length. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

/** Where to cut: nowhere, anywhere, or behind every byte. */
export const cuts = fc.oneof(
  fc.array(fc.double({min: 0, max: 1, noNaN: true}), {maxLength: 12}),
  fc.constant(Array.from({length: 200}, (_, index) => index / 200)),
);
