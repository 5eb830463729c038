/** Names that others chose, as words of a command line that a user may paste into a shell. */
import {encodeName, isText, nameToJson} from './records/names.js';

// What no shell gives a meaning to, wherever it stands in a word.
const PLAIN = /^[\p{L}\p{N}_.:/@%+,-]+$/u;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * One word for bash and zsh that means exactly `text`, without a character that a terminal acts upon; for a name that is not
 * text, its `{"$b64":"…"}`.
 */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!isText(text)) return shellWord(nameToJson(text));
  if (!UNSEEN.test(text)) return quoted(text);
  const escaped = Array.from(text, (char) => (UNSEEN.test(char) ? codeOf(char) : char.replace(/['\\]/, '\\$&')));
  return `$'${escaped.join('')}'`;
}

/** What our own commands, as words of any POSIX shell, take for the name `name`: JSON where it cannot stand as it is. */
export function nameWord(name: string): string {
  if (PLAIN.test(name)) return name;
  if (name !== '' && isText(name) && !UNSEEN.test(name) && !name.startsWith('{"$b64"')) return quoted(name);
  return quoted(JSON.stringify({$b64: Buffer.from(encodeName(name)).toString('base64')}));
}

/** `name` as a word of any POSIX shell, or, where that cannot be shown, as what printf(1) prints its bytes for. */
export function bytesWord(name: string): {word: string; isPlain: boolean} {
  if (PLAIN.test(name)) return {word: name, isPlain: true};
  if (isText(name) && !UNSEEN.test(name)) return {word: quoted(name), isPlain: true};
  const octal = Array.from(Buffer.from(encodeName(name)), (byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return {word: quoted(octal.join('')), isPlain: false};
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A flag and its value, which `word` makes a word: a value that begins with a dash would be another flag. */
export const flagWords = (name: string, value: string, letter?: string, word = shellWord): string[] =>
  value.startsWith('-')
    ? [`--${name}=${word(value)}`]
    : [letter === undefined ? `--${name}` : `-${letter}`, word(value)];

/** Byte by byte, since what a shell makes of a code point depends on its locale. */
const codeOf = (char: string): string =>
  Array.from(Buffer.from(char), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

/** The words of a command line, as quotes and backslashes make them; undefined for an open quote. Nothing is expanded. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.trim();
  while (rest !== '') {
    // Of a word: what stands in single quotes, in double quotes, behind a backslash, or by itself.
    const [word] = /^(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/s.exec(rest) ?? [];
    if (word === undefined) return undefined;
    words.push(
      word.replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs,
        (_, single, double, char) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? char,
      ),
    );
    rest = rest.slice(word.length);
    if (rest !== '' && !/^\s/.test(rest)) return undefined;
    rest = rest.trimStart();
  }
  return words;
}
