/**
 * Keys, from the bytes that a terminal in raw mode sends (xterm, https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).
 * Invariant: a key is its character, or a name of more than one; a sequence that is not known is no key.
 */
import {StringDecoder} from 'node:string_decoder';

const ESC = '\u001b';

const CONTROLS: Record<string, string> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
};

/** By what follows `ESC [` or `ESC O`, without the numbers of a modifier. */
const SEQUENCES: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
  '1~': 'home',
  '3~': 'delete',
  '4~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  '7~': 'home',
  '8~': 'end',
};

/** CSI or SS3, from its beginning. */
const SEQUENCE = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/;
/** The beginning of one that goes on in the next chunk. */
const BEGUN = /^\u001b(?:\[[0-?]*[ -/]*|O)$/;

export class KeyDecoder {
  readonly #utf8 = new StringDecoder('utf8');
  #rest = '';

  /** The keys in `bytes`, which may begin or end within a sequence; an ESC at the end is the key `escape`. */
  keys(bytes: Buffer): string[] {
    let text = this.#rest + this.#utf8.write(bytes);
    this.#rest = '';
    const keys: string[] = [];
    while (text !== '') {
      if (BEGUN.test(text)) {
        this.#rest = text;
        break;
      }
      const sequence = SEQUENCE.exec(text)?.[0];
      if (sequence === undefined) {
        const character = String.fromCodePoint(text.codePointAt(0)!);
        keys.push(keyOf(character));
        text = text.slice(character.length);
      } else {
        const key = SEQUENCES[sequence.slice(2).replace(/^1;\d+(?=[A-Z])|;\d+(?=~)/, '')];
        if (key !== undefined) keys.push(key);
        text = text.slice(sequence.length);
      }
    }
    return keys;
  }
}

function keyOf(character: string): string {
  if (character === ESC) return 'escape';
  const named = CONTROLS[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0)!;
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x40).toLowerCase()}` : character;
}
