/** What a person has chosen in `top`, as keys change it. Invariant: a key changes nothing but this; nothing in Redis. */
import {ROW_ORDERS, type RowOrder} from '../observe/snapshot-rows.js';
import {SCROLL_KEYS, scrolled} from './scrolling.js';

export type TopView = 'list' | 'detail' | 'consumers' | 'pending' | 'help';

export interface TopState {
  view: TopView;
  order: RowOrder;
  isReversed: boolean;
  /** Only what has this in its name. */
  filter: string;
  /** The keys are letters of the filter. */
  isTyping: boolean;
  /** The key of a row; undefined for the first one, whichever that is. */
  selected: string | undefined;
  /** Lines that a view other than the list is moved up by. */
  offset: number;
  isPaused: boolean;
  hasEnded: boolean;
}

export const initialState = (order: RowOrder): TopState => ({
  view: 'list',
  order,
  isReversed: false,
  filter: '',
  isTyping: false,
  selected: undefined,
  offset: 0,
  isPaused: false,
  hasEnded: false,
});

/** What is on the screen, as far as keys need it. */
export interface Shown {
  /** Rows of the list, in their order. */
  rows: readonly {key: string; isGroup: boolean}[];
  /** Lines that there is room for. */
  room: number;
  /** How far the view can be moved up. */
  mostOffset: number;
}

const MOVES: typeof SCROLL_KEYS = {...SCROLL_KEYS, k: () => -1, j: () => 1};

const VIEWS: Record<string, TopView> = {enter: 'detail', c: 'consumers', p: 'pending', '?': 'help', h: 'help'};

export function afterKey(state: TopState, key: string, shown: Shown): TopState {
  if (state.isTyping) return afterLetter(state, key);
  if (Object.hasOwn(MOVES, key)) return moved(state, MOVES[key]!(shown.room), shown);
  if (Object.hasOwn(VIEWS, key)) return opened(state, VIEWS[key]!, shown);
  switch (key) {
    case 'q':
    case 'Q':
      return {...state, hasEnded: true};
    case 'escape':
    case 'backspace':
    case 'left':
      return state.view === 'list' && key === 'escape' ? {...state, filter: ''} : inView(state, 'list');
    case 's':
      return {...state, order: nextOrder(state.order, 1)};
    case 'S':
      return {...state, order: nextOrder(state.order, -1)};
    case 'r':
      return {...state, isReversed: !state.isReversed};
    case '/':
      return {...inView(state, 'list'), isTyping: true};
    case ' ':
      return {...state, isPaused: !state.isPaused};
    default:
      return state;
  }
}

function afterLetter(state: TopState, key: string): TopState {
  if (key === 'enter') return {...state, isTyping: false};
  if (key === 'escape') return {...state, isTyping: false, filter: ''};
  if (key === 'backspace') return {...state, filter: [...state.filter].slice(0, -1).join(''), selected: undefined};
  // Other keys have names of several characters.
  return [...key].length === 1 ? {...state, filter: state.filter + key, selected: undefined} : state;
}

function moved(state: TopState, by: number, {rows, mostOffset}: Shown): TopState {
  if (state.view !== 'list') return {...state, offset: scrolled(state.offset, by, mostOffset)};
  const index = scrolled(selectedIndex(state, rows), by, rows.length - 1);
  return {...state, selected: rows[index]?.key};
}

/** A key opens a view, and closes it again. Consumers and pending entries are those of a group: of a stream's first one. */
function opened(state: TopState, view: TopView, {rows}: Shown): TopState {
  if (view === state.view) return inView(state, 'list');
  if (view === 'help') return inView(state, view);
  const index = selectedIndex(state, rows);
  const row = rows[index];
  if (row === undefined) return state;
  if (view === 'detail' || row.isGroup) return {...inView(state, view), selected: row.key};
  const first = rows[index + 1];
  return first?.isGroup
    ? {...inView(state, view), selected: first.key}
    : {...inView(state, 'detail'), selected: row.key};
}

const inView = (state: TopState, view: TopView): TopState => ({...state, view, offset: 0});

/** The first row where the selected one is gone, or none was selected. */
export const selectedIndex = ({selected}: TopState, rows: readonly {key: string}[]): number =>
  Math.max(
    0,
    rows.findIndex(({key}) => key === selected),
  );

const nextOrder = (order: RowOrder, by: number): RowOrder =>
  ROW_ORDERS[(ROW_ORDERS.indexOf(order) + by + ROW_ORDERS.length) % ROW_ORDERS.length]!;
