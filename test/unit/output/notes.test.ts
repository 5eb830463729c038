import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {cellsOf} from '../../../src/lib/output/cell-width.js';
import {colors} from '../../../src/lib/output/colors.js';
import {Notes, type NotesOptions} from '../../../src/lib/output/notes.js';

function notesWith({columns, ...options}: Partial<NotesOptions> & {columns?: number} = {}): {
  notes: Notes;
  text(): string;
} {
  let text = '';
  const stream = {
    write: (more: string): void => {
      text += more;
    },
    isBehind: false,
    writableLength: 0,
    columns,
    flushed: async (): Promise<void> => {},
  };
  const usual = {quiet: false, verbose: false, terminal: false, overwrites: false, colors: colors(false)};
  const notes = new Notes(stream, {...usual, ...options});
  return {notes, text: () => text};
}

function say(options: Partial<NotesOptions> & {columns?: number}, speak: (notes: Notes) => void): string {
  const {notes, text} = notesWith(options);
  speak(notes);
  return text();
}

describe('what is said', () => {
  it('begins each line with the name of the program', () => {
    expect(say({}, (notes) => notes.note('3 added'))).toBe('streamlog: 3 added\n');
    expect(say({}, (notes) => notes.warn('2 went'))).toBe('streamlog: warning: 2 went\n');
    expect(say({verbose: true}, (notes) => notes.detail('connected'))).toBe('streamlog: connected\n');
  });

  it('ends a failure with what to do about it', () => {
    const failure = new StreamlogError('notFound', 'no group "b" on stream "o"', {hint: 'streamlog group create b'});
    expect(say({}, (notes) => notes.failure(failure))).toBe(
      'streamlog: no group "b" on stream "o"\nhint: streamlog group create b\n',
    );
    expect(say({}, (notes) => notes.failure(new StreamlogError('bug', 'why')))).toBe('streamlog: why\n');
  });

  it('shows the beginning and the end of a very long name on a terminal, and all of it elsewhere', () => {
    const name = `${'a'.repeat(5_000)}z`;
    const shown = `${'a'.repeat(160)}…${'a'.repeat(39)}z`;
    const speak = (notes: Notes): void => {
      notes.failure(new StreamlogError('data', `no "${name}"!`, {hint: name}));
      notes.note(name);
      notes.warn(name);
      notes.ask(name);
    };
    const said = (one: string): string =>
      `hint: ${one}\nstreamlog: ${one}\nstreamlog: warning: ${one}\nstreamlog: ${one} `;
    expect(say({terminal: true}, speak)).toMatch(/^streamlog: no "a{159}…a{37}z"!\n/);
    expect(say({terminal: true}, speak).endsWith(said(shown))).toBe(true);
    expect(say({}, speak)).toBe(`streamlog: no "${name}"!\n${said(name)}`);
    expect(say({terminal: true}, (notes) => notes.note(`${'a'.repeat(300)} ${'é'.repeat(339)}`))).not.toContain('…a');
  });

  it('escapes the names that others chose, in notes, warnings, failures and hints alike', () => {
    const name = 'a\u001b]0;x\u0007\nstreamlog: done';
    const shown = 'a\\x1b]0;x\\x07\\nstreamlog: done';
    expect(say({}, (notes) => notes.note(name))).toBe(`streamlog: ${shown}\n`);
    expect(say({}, (notes) => notes.warn(name))).toBe(`streamlog: warning: ${shown}\n`);
    expect(say({verbose: true}, (notes) => notes.detail(name))).toBe(`streamlog: ${shown}\n`);
    expect(say({}, (notes) => notes.failure(new StreamlogError('data', name, {hint: name})))).toBe(
      `streamlog: ${shown}\nhint: ${shown}\n`,
    );
    expect(say({overwrites: true}, (notes) => notes.progress(name))).toBe(`\r\u001b[K${shown}`);
  });

  it('progress takes less than a line', () => {
    const line = say({overwrites: true}, (notes) => notes.progress('日本'.repeat(50)));
    expect(cellsOf(line.replace('\r\u001b[K', ''))).toBe(79);
  });

  it('colours its own words and none of the quoted ones', () => {
    expect(say({colors: colors(true)}, (notes) => notes.warn('x'))).toBe('streamlog: \u001b[33mwarning:\u001b[39m x\n');
    const failure = new StreamlogError('bug', '\u001b[32mfine');
    expect(say({colors: colors(true)}, (notes) => notes.failure(failure))).toBe(
      'streamlog: \u001b[31m\\x1b[32mfine\u001b[39m\n',
    );
  });
});

describe('on a terminal, a line', () => {
  const words = 'group "b" on stream "o" has been deleted, and is created again at 1526919030474-55';
  const command = 'streamlog group seek "some name" --stream orders --to 1526919030474-55 --group billing';

  it.each([40, 60, 80, 120])('of %i columns breaks between words, and loses none', (columns) => {
    const failure = new StreamlogError('data', words);
    for (const speak of [
      (notes: Notes) => notes.note(words),
      (notes: Notes) => notes.warn(words),
      (notes: Notes) => notes.ask(words),
      (notes: Notes) => notes.failure(failure),
    ]) {
      const text = say({terminal: true, columns, colors: colors(true)}, speak);
      for (const line of text.split('\n')) expect([cellsOf(line) < columns, line]).toEqual([true, line]);
      const joined = say({colors: colors(true)}, speak);
      expect(text.replaceAll('\n  ', ' ')).toBe(joined);
    }
  });

  it('that ends with a command leaves it whole, so that it can be copied', () => {
    const note = `its entries are pending with others; to read them again: ${command}`;
    expect(say({terminal: true, columns: 40}, (notes) => notes.note(note))).toBe(
      `streamlog: its entries are pending with\n  others; to read them again:\n  ${command}\n`,
    );
    expect(say({terminal: true, columns: 200}, (notes) => notes.note(note))).toBe(`streamlog: ${note}\n`);
    const hint = 'to read it: jq -c .[] a-file-with-a-long-name.json | streamlog produce';
    const failure = new StreamlogError('data', 'no', {hint});
    expect(say({terminal: true, columns: 40}, (notes) => notes.failure(failure))).toContain(`\nhint: ${hint}\n`);
  });

  it('keeps the blanks of a name', () => {
    const note = 'there is no stream "a   b" and no stream "c  d" either';
    const text = say({terminal: true, columns: 30}, (notes) => notes.note(note));
    expect(text).toContain('"a   b"');
    expect(text).toContain('"c  d"');
  });
});

describe('how much is said', () => {
  it('hides notes and progress with --quiet, never warnings and failures', () => {
    const quiet = say({quiet: true, terminal: true, overwrites: true}, (notes) => {
      notes.note('hidden');
      notes.progress('hidden');
      notes.warn('lost 2');
      notes.failure(new StreamlogError('io', 'disk full'));
    });
    expect(quiet).toBe('streamlog: warning: lost 2\nstreamlog: disk full\n');
  });

  it('keeps details for --verbose', () => expect(say({}, (notes) => notes.detail('hidden'))).toBe(''));
});

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is a line on a terminal that the next one overwrites', () => {
    const shown = say({overwrites: true}, (notes) => {
      notes.progress('1 of 2');
      notes.progress('too soon');
      vi.advanceTimersByTime(100);
      notes.progress('2 of 2');
      notes.endProgress();
      notes.endProgress();
    });
    expect(shown).toBe('\r\u001b[K1 of 2\r\u001b[K2 of 2\r\u001b[K');
  });

  it('leaves nothing of itself in a pipe', () => {
    const shown = say({}, (notes) => {
      notes.progress('1 of 2');
      notes.endProgress();
    });
    expect(shown).toBe('');
  });

  it('makes way for a note', () => {
    const shown = say({overwrites: true}, (notes) => {
      notes.progress('1 of 2');
      notes.warn('slow');
      notes.note('done');
    });
    expect(shown).toBe('\r\u001b[K1 of 2\r\u001b[Kstreamlog: warning: slow\nstreamlog: done\n');
  });
});
