/** `info --watch` on a terminal that can show a full screen: it is redrawn in the same window, scrolls, and ends with `q`. */
import {formatDuration} from '../duration.js';
import type {WatchedStream} from '../observe/stream-watch.js';
import type {Display} from '../output/display.js';
import type {WindowSize} from '../output/screen.js';
import {SCROLL_KEYS, scrolled} from '../output/scrolling.js';
import type {Sink} from '../output/sink.js';
import {mostOffset, type WatchState, watchedLines, watchRows} from '../output/views/watch-view.js';
import {FullScreen} from './full-screen.js';

export interface WatchScreenOptions {
  out: Pick<Sink, 'write'>;
  /** Its size is that of the window. */
  display: Omit<Display, keyof WindowSize>;
  everyMs: number;
  /** Called by the key `q`. */
  onQuit: () => void;
}

const NOTICE_MS = 15_000;

const MOVES: typeof SCROLL_KEYS = {...SCROLL_KEYS, ' ': (rows) => rows};

export class WatchScreen {
  readonly #options: WatchScreenOptions;
  #screen: FullScreen | undefined;
  #streams: readonly WatchedStream[] = [];
  #state: Omit<WatchState, 'lines'>;
  /** What was laid out last, and for what: a key that scrolls lays out nothing anew. */
  #laidOut: {streams: readonly WatchedStream[]; size: WindowSize; lines: string[]} | undefined;
  #size: WindowSize = {columns: 0, rows: 0};
  #noticedAtMs = 0;

  constructor(options: WatchScreenOptions) {
    this.#options = options;
    const every = formatDuration(options.everyMs);
    this.#state = {at: new Date(), every, notice: undefined, offset: 0};
  }

  /** Shows what was read. Throws as `out` does. */
  async show(streams: readonly WatchedStream[]): Promise<void> {
    const isOld = performance.now() - this.#noticedAtMs > NOTICE_MS;
    this.#streams = streams;
    this.#state = {...this.#state, at: new Date(), notice: isOld ? undefined : this.#state.notice};
    // Only now: a failure before the first reading is for the terminal as it was.
    this.#screen ??= await FullScreen.open(this.#options.out, (key) => this.#onKey(key));
    await this.#draw();
  }

  /** Whether the terminal is ours already; what is said before is for standard error. */
  get isShown(): boolean {
    return this.#screen !== undefined;
  }

  /** Shows one line about what is wrong, or has happened, until the next one, or for a while. */
  notice(line: string): void {
    this.#noticedAtMs = performance.now();
    this.#state = {...this.#state, notice: line};
    this.#draw().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#screen?.close();
  }

  #onKey(key: string): void {
    if (key === 'q' || key === 'Q') this.#options.onQuit();
    const move = Object.hasOwn(MOVES, key) ? MOVES[key]!(this.#size.rows) : 0;
    if (move === 0) return;
    const most = mostOffset(this.#lines(this.#size), this.#size.rows);
    this.#state = {...this.#state, offset: scrolled(this.#state.offset, move, most)};
    this.#draw().catch(() => {});
  }

  async #draw(): Promise<void> {
    await this.#screen?.show((size) => {
      this.#size = size;
      return watchRows({...this.#state, lines: this.#lines(size)}, size, this.#options.display.colors);
    });
  }

  #lines({columns, rows}: WindowSize): string[] {
    const last = this.#laidOut;
    if (last?.streams === this.#streams && last.size.columns === columns) return last.lines;
    const size = {columns, rows};
    const lines = watchedLines(this.#streams, {...this.#options.display, ...size});
    this.#laidOut = {streams: this.#streams, size, lines};
    return lines;
  }
}
