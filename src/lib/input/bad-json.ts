/** What may be wrong with a JSON text that holds records. */

/** What is wrong with a JSON text, and where. Its message never quotes the text. */
export class BadJson extends Error {
  readonly column: number;

  constructor(reason: string, column: number) {
    super(reason);
    this.name = 'BadJson';
    this.column = column;
  }
}

/** A key of an object that came before. */
export class RepeatedKey extends BadJson {
  constructor(column: number) {
    super('the same key comes twice; give repeated fields as "pairs" with --input envelope', column);
  }
}

/** Said of a string that is stored. */
export const HALF_PAIR = 'half a surrogate pair cannot be stored as UTF-8';
/** Said of what stands behind the one object of a text. */
export const BEHIND_OBJECT = 'expected the end of the line after the object';
