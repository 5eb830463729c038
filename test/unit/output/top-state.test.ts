import {describe, expect, it} from 'vitest';
import {afterKey, initialState, type Shown, type TopState} from '../../../src/lib/output/top-state.js';

const SHOWN: Shown = {
  rows: [
    {key: 'a', isGroup: false},
    {key: 'a/1', isGroup: true},
    {key: 'a/2', isGroup: true},
    {key: 'b', isGroup: false},
  ],
  room: 2,
  mostOffset: 5,
};

const typed = (keys: readonly string[], from: TopState = initialState('lag'), shown = SHOWN): TopState =>
  keys.reduce((state, key) => afterKey(state, key, shown), from);

describe('a key', () => {
  it('moves the selection within the rows', () => {
    expect(typed(['down']).selected).toBe('a/1');
    expect(typed(['page-down', 'k']).selected).toBe('a/1');
    expect(typed(['end']).selected).toBe('b');
    expect(typed(['end', 'down']).selected).toBe('b');
    expect(typed(['end', 'home', 'up']).selected).toBe('a');
    expect(typed(['down'], initialState('lag'), {...SHOWN, rows: []}).selected).toBeUndefined();
  });

  it('goes on from the first row where the selected one is gone', () => {
    expect(typed(['down'], {...initialState('lag'), selected: 'gone'}).selected).toBe('a/1');
  });

  it('opens a view, and closes it again; the list is as it was', () => {
    expect(typed(['down', 'enter'])).toMatchObject({view: 'detail', selected: 'a/1'});
    expect(typed(['down', 'enter', 'down', 'down'])).toMatchObject({selected: 'a/1', offset: 2});
    expect(typed(['down', 'enter', 'end', 'up', 'c'])).toMatchObject({view: 'consumers', offset: 0});
    for (const back of ['enter', 'escape', 'backspace', 'left'])
      expect(typed(['down', 'enter', back])).toMatchObject({view: 'list', selected: 'a/1'});
    expect(typed(['?', '?']).view).toBe('list');
  });

  it('shows consumers and pending entries of a group; of a stream, those of its first one', () => {
    expect(typed(['p'])).toMatchObject({view: 'pending', selected: 'a/1'});
    expect(typed(['end', 'c'])).toMatchObject({view: 'detail', selected: 'b'});
  });

  it('is a letter of the filter while that is typed', () => {
    expect(typed([...'/q s漢', 'up', 'backspace'])).toMatchObject({filter: 'q s', isTyping: true, hasEnded: false});
    expect(typed([...'/qs', 'enter', 's'])).toMatchObject({filter: 'qs', isTyping: false, order: 'rate'});
    expect(typed([...'/qs', 'escape'])).toMatchObject({filter: '', isTyping: false});
    expect(typed([...'/qs', 'enter', 'escape']).filter).toBe('');
  });

  it('sorts, reverses, pauses, quits, or does nothing', () => {
    expect(typed(['S']).order).toBe('name');
    expect(typed(['S', 's']).order).toBe('lag');
    expect(typed(['r', 'r', 'r']).isReversed).toBe(true);
    expect(typed([' ']).isPaused).toBe(true);
    expect(typed(['q']).hasEnded).toBe(true);
    for (const key of ['x', 'tab', '__proto__', 'constructor', 'ctrl-a'])
      expect(typed([key])).toEqual(initialState('lag'));
  });
});
