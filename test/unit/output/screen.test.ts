import {describe, expect, it} from 'vitest';
import {type Frame, Screen} from '../../../src/lib/output/screen.js';
import {seededRandom} from '../../support/seeded-random.js';
import {TerminalModel} from '../../support/terminal-model.js';

/** A screen on a model; with `held`, the terminal takes nothing until it is released. */
function onModel(columns = 20, rows = 5) {
  const model = new TerminalModel(columns, rows);
  let held: (() => void)[] | undefined;
  const screen = new Screen({
    size: () => ({columns: model.columns, rows: model.rows}),
    write: (text) => {
      model.write(text);
      const taken = held;
      return taken === undefined ? Promise.resolve() : new Promise((resolve) => taken.push(resolve));
    },
  });
  const hold = (): void => {
    held ??= [];
  };
  const release = (): void => {
    const waiting = held ?? [];
    held = undefined;
    for (const resolve of waiting) resolve();
  };
  return {model, screen, hold, release};
}

const lines =
  (...rows: string[]): Frame =>
  () =>
    rows;

describe('a screen', () => {
  it('shows frames on the alternate screen and leaves the terminal as it was', async () => {
    const {model, screen} = onModel();
    model.write('$ typed before');
    const before = model.text;
    await screen.enter();
    await screen.show(lines('one', '\u001b[1mtwo\u001b[22m'));
    expect(model).toMatchObject({isAlternate: true, cursorShown: false, wraps: false});
    expect(model.text).toEqual(['one', 'two', '', '', '']);
    await screen.leave();
    expect(model).toMatchObject({isAlternate: false, cursorShown: true, wraps: true, text: before});
  });

  it('writes only the rows that have changed, and nothing where none has', async () => {
    const {model, screen} = onModel();
    await screen.enter();
    await screen.show(lines('same', 'old', 'gone'));
    model.written = '';
    await screen.show(lines('same', 'new'));
    expect(model.written).not.toContain('same');
    expect(model.text).toEqual(['same', 'new', '', '', '']);
    model.written = '';
    await screen.show(lines('same', 'new'));
    expect(model.written).toBe('');
  });

  it('cuts at the edges of the window, and keeps the last cell of a line that fills its row', async () => {
    const {model, screen} = onModel(5, 2);
    await screen.enter();
    await screen.show(lines('12345', 'abc', 'below'));
    expect(model.text).toEqual(['12345', 'abc']);
    await screen.show(lines('1234567', 'abc'));
    expect(model.text).toEqual(['12347', 'abc']);
  });

  it('draws the last frame for the new size when the window changes', async () => {
    const {model, screen} = onModel(20, 5);
    await screen.enter();
    await screen.show(({columns, rows}) => [`${columns} x ${rows}`]);
    model.resize(30, 3);
    await screen.redraw();
    expect(model.text).toEqual(['30 x 3', '', '']);
  });

  it('writes nothing while it is left, and draws everything when it is entered again', async () => {
    const {model, screen} = onModel();
    await screen.enter();
    await screen.show(lines('one'));
    await screen.leave();
    const shell = model.text;
    await screen.show(lines('two'));
    await screen.redraw();
    expect(model.text).toEqual(shell);
    await screen.enter();
    expect(model.text[0]).toBe('two');
    await screen.leave();
    await screen.leave();
    expect(model.isAlternate).toBe(false);
  });

  it('skips frames that a slow terminal has no time for', async () => {
    const {model, screen, hold, release} = onModel();
    await screen.enter();
    await screen.show(lines('frame 0'));
    hold();
    const shown = [1, 2, 3, 4].map((n) => screen.show(lines(`frame ${n}`)));
    release();
    await Promise.all(shown);
    expect(model.text[0]).toBe('frame 4');
    expect(model.written).not.toMatch(/frame [23]/);
  });

  it('shows what is in the last frame whatever came before', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const {model, screen} = onModel(1 + random.below(30), 1 + random.below(8));
      let frame = ['first'];
      await screen.enter();
      await screen.show(lines(...frame));
      for (let step = 0; step < 30; step++) {
        if (random.oneIn(8)) {
          model.resize(1 + random.below(30), 1 + random.below(8));
          await screen.redraw();
        } else if (random.oneIn(12)) {
          await screen.leave();
          await screen.enter();
        } else {
          frame = Array.from({length: random.below(9)}, (_, row) =>
            random.oneIn(2) ? (frame[row] ?? '') : 'x'.repeat(random.below(model.columns + 1)),
          );
          await screen.show(lines(...frame));
        }
        // What does not fit ends with its last character in the last cell.
        const cut = (line: string): string =>
          line.length <= model.columns ? line : line.slice(0, model.columns - 1) + line.at(-1);
        const expected = Array.from({length: model.rows}, (_, row) => cut(frame[row] ?? ''));
        expect(model.text, `seed ${seed}, step ${step}`).toEqual(expected);
      }
    }
  });
});
