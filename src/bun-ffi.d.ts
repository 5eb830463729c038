/** The part of Bun's foreign function interface that streamlog uses; under Node the module does not exist. */
declare module 'bun:ffi' {
  export function dlopen<Name extends string>(
    path: string,
    symbols: Record<Name, {args: readonly string[]; returns: string}>,
  ): {symbols: Record<Name, (...args: unknown[]) => number>};
  export function ptr(view: NodeJS.TypedArray): number;
}
