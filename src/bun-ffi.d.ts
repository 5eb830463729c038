/** The part of https://bun.sh/docs/api/ffi that streamlog uses, which only Bun has. */
declare module 'bun:ffi' {
  export function dlopen<Name extends string>(
    path: string,
    symbols: Record<Name, {args: readonly string[]; returns: string}>,
  ): {symbols: Record<Name, (...args: unknown[]) => number>};
  export function ptr(view: NodeJS.TypedArray): number;
}
