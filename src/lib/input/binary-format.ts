/**
 * Formats that hold no lines, by the bytes that they begin with, and the programs that
 * make lines of them. Invariant: no text is taken for one of them: a format
 * whose first bytes may be text must also have bytes that may not.
 */
import {type Buffer, isUtf8} from 'node:buffer';

/** A command that prints the content of FILE in lines, or of its standard input. */
export interface LinesCommand {
  readonly command: string;
  readonly filter?: string;
  /** What these lines are, where they are not what the input was said to be. */
  readonly lines?: 'text';
}

export interface BinaryFormat extends Partial<LinesCommand> {
  readonly name: string;
  /** What to do where no command helps. */
  readonly advice?: string;
}

interface Signature extends BinaryFormat {
  /** At the beginning; of latin1, as all of these are. */
  readonly begins: RegExp;
  /** A text may begin so. */
  readonly mayBeText?: true;
}

const SPREADSHEET = {name: 'a spreadsheet', advice: 'save it as CSV, and add --input csv'};
const PROGRAM = {name: 'a program'};

const compressed = (name: string, command: string, begins: RegExp): Signature => ({
  name,
  command: `${command} FILE`,
  filter: command,
  begins,
});

const SIGNATURES: readonly Signature[] = [
  compressed('compressed with xz', 'xz -dc', /^\xfd7zXZ\0/),
  compressed('compressed with bzip2', 'bzip2 -dc', /^BZh[1-9](?:1AY&SY|\x17rE8P\x90)/),
  compressed('compressed with lz4', 'lz4 -dc', /^\x04"M\x18/),
  compressed('compressed with lzip', 'lzip -dc', /^LZIP\x01/),
  compressed('compressed with lzop', 'lzop -dc', /^\x89LZO\0/),
  compressed('compressed with compress', 'gzip -dc', /^\x1f[\x9d\xa0]/),
  compressed('compressed with snappy', 'snzip -dc', /^\xff\x06\0\0sNaPpY/),
  {...SPREADSHEET, begins: /^PK\x03\x04.{26,}?(?:xl\/|\[Content_Types\]\.xml)/s},
  {...SPREADSHEET, begins: /^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.spreadsheet/s},
  {...SPREADSHEET, begins: /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/},
  {name: 'a zip archive', command: 'unzip -p FILE', filter: 'funzip', begins: /^PK(?:\x03\x04|\x05\x06|\x07\x08)/},
  {name: 'a 7z archive', command: '7z x -so FILE', begins: /^7z\xbc\xaf\x27\x1c/},
  {name: 'a rar archive', command: 'unrar p -inul FILE', begins: /^Rar!\x1a\x07/},
  {name: 'a tar archive', command: 'tar -xOf FILE', filter: 'tar -xO', begins: /^[^\0].{256}ustar[\0 ]/s},
  {
    name: 'an SQLite database',
    command: `sqlite3 -json FILE 'SELECT ...' | jq -c '.[]'`,
    begins: /^SQLite format 3\0/,
  },
  {name: 'a Parquet file', command: `duckdb -jsonlines -c "FROM 'FILE'"`, begins: /^PAR1/, mayBeText: true},
  {name: 'an ORC file', begins: /^ORC/, mayBeText: true},
  {name: 'an Avro file', command: 'avro-tools tojson FILE', begins: /^Obj\x01/},
  {name: 'an Arrow file', begins: /^ARROW1\0\0/},
  {name: 'a dump of Redis', advice: 'load it into a Redis server', begins: /^REDIS\d{4}/, mayBeText: true},
  {name: 'a journal of systemd', command: 'journalctl -o json --file FILE', begins: /^LPKSHHRH/, mayBeText: true},
  {
    name: 'a packet capture',
    command: 'tshark -T ek -r FILE',
    begins: /^(?:\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\n\r\r\n)/,
  },
  {name: 'a PDF document', command: 'pdftotext FILE -', lines: 'text', begins: /^%PDF-/, mayBeText: true},
  {name: 'an image', begins: /^(?:\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP)/s, mayBeText: true},
  {...PROGRAM, begins: /^\x7fELF/},
  {...PROGRAM, begins: /^(?:MZ|[\xcf\xce]\xfa\xed\xfe|\xca\xfe\xba\xbe|\0asm)/, mayBeText: true},
];

/** What to do with an input that no command makes lines of. */
export const STORE_AS_VALUE = 'to store a file as one value: streamlog produce data=@FILE';

/** So much of an input is looked at; tar says what it is at its 257th byte. */
const SIGNATURE_BYTES = 512;

/** The format of what begins with `head`; undefined for text and for what is not known. */
export function binaryFormatOf(head: Buffer): BinaryFormat | undefined {
  const text = head.toString('latin1', 0, SIGNATURE_BYTES);
  return SIGNATURES.find(({begins, mayBeText}) => begins.test(text) && !(mayBeText && isText(head)));
}

/** Texts may be divided by zeros. Where `head` ends, a character may be cut off. */
const isText = (head: Buffer): boolean =>
  !/[\x01-\x07\x0e-\x1a\x1c-\x1f]/.test(head.toString('latin1')) &&
  [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, Math.max(0, head.length - cut))));
