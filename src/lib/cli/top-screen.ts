/** `top` on a terminal that can show a full screen: keys change what is shown, and what is shown is the last snapshot. */
import type {GroupDetail} from '../observe/group-detail.js';
import {RecentMinute} from '../observe/recent-minute.js';
import type {GroupFacts, Snapshot} from '../observe/snapshot.js';
import type {FactsRow} from '../observe/snapshot-rows.js';
import type {WindowSize} from '../output/screen.js';
import type {Sink} from '../output/sink.js';
import {afterKey, type TopState} from '../output/top-state.js';
import type {TopDisplay} from '../output/views/top-figures.js';
import {mostOffset, roomOf, type TopModel, type TopOptions, topLines, topRows} from '../output/views/top-view.js';
import {FullScreen} from './full-screen.js';

export interface TopScreenOptions extends TopOptions {
  out: Pick<Sink, 'write'>;
  /** Its size is that of the window. */
  display: Omit<TopDisplay, keyof WindowSize>;
  /** Called by the key `q`. */
  onQuit: () => void;
  /** Reads what is shown of one group; undefined where it cannot be read. */
  readDetail(stream: string, group: GroupFacts): Promise<GroupDetail | undefined>;
}

/** How often the line that Redis is away is brought up to date. */
const AWAY_MS = 1_000;

export class TopScreen {
  readonly #options: TopScreenOptions;
  readonly #minutes = new RecentMinute();
  #screen: FullScreen | undefined;
  #state: TopState;
  /** The last snapshot, and the one that is shown, which may be paused. */
  #latest: Snapshot | undefined;
  #shown: Snapshot | undefined;
  #detail: {key: string; detail: GroupDetail | undefined} | undefined;
  #isReading = false;
  #size: WindowSize = {columns: 0, rows: 0};
  #readAtMs = performance.now();
  /** The time of the last answer. */
  #awaySinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TopScreenOptions, state: TopState) {
    this.#options = options;
    this.#state = state;
  }

  /** Whether the terminal is ours already; what is said before is for standard error. */
  get isShown(): boolean {
    return this.#screen !== undefined;
  }

  /** Shows what was read. Throws as `out` does. */
  async show(snapshot: Snapshot): Promise<void> {
    this.#endAway();
    this.#latest = snapshot;
    this.#readAtMs = performance.now();
    this.#minutes.take(snapshot, this.#readAtMs);
    if (!this.#state.isPaused || this.#shown === undefined) this.#shown = snapshot;
    // Only now: a failure before the first snapshot is for the terminal as it was.
    this.#screen ??= await FullScreen.open(this.#options.out, (key) => this.#onKey(key));
    this.#readDetail();
    await this.#draw();
  }

  /** Redis does not answer; until the next snapshot. */
  away(): void {
    this.#awaySinceMs ??= this.#readAtMs;
    this.#timer ??= setInterval(() => this.#redraw(), AWAY_MS);
    this.#redraw();
  }

  async close(): Promise<void> {
    this.#endAway();
    await this.#screen?.close();
  }

  #endAway(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#awaySinceMs = undefined;
  }

  #onKey(key: string): void {
    const model = this.#model();
    if (model === undefined) return;
    const before = this.#state;
    this.#state = afterKey(before, key, {
      rows: this.#rows().map((row) => ({key: row.key, isGroup: row.group !== undefined})),
      room: roomOf(before, this.#size.rows),
      mostOffset: mostOffset(model, before, this.#options, {...this.#options.display, ...this.#size}),
    });
    if (before.isPaused && !this.#state.isPaused) this.#shown = this.#latest;
    if (this.#state.hasEnded) {
      this.#options.onQuit();
      return;
    }
    this.#readDetail();
    this.#redraw();
  }

  /** One at a time: what is selected meanwhile is read with the next snapshot, or by the next key. */
  #readDetail(): void {
    const row = this.#selected();
    if (row?.group === undefined || this.#isReading || this.#awaySinceMs !== undefined) return;
    if (this.#state.isPaused && this.#detail?.key === row.key) return;
    this.#isReading = true;
    const {key, stream, group} = row;
    this.#options
      .readDetail(stream.stream, group)
      .catch(() => undefined)
      .then((detail) => {
        this.#isReading = false;
        this.#detail = {key, detail};
        const now = this.#selected();
        if (now !== undefined && now.key !== key) this.#readDetail();
        this.#redraw();
      });
  }

  /** The row that a view other than the list shows. */
  #selected(): FactsRow | undefined {
    const {view, selected} = this.#state;
    return view === 'list' || view === 'help' ? undefined : this.#rows().find(({key}) => key === selected);
  }

  #rows(): FactsRow[] {
    return this.#shown === undefined ? [] : topRows(this.#shown, this.#state, this.#options);
  }

  #model(): TopModel | undefined {
    if (this.#shown === undefined) return undefined;
    return {
      snapshot: this.#shown,
      minutes: this.#minutes,
      detail: this.#detail?.key === this.#state.selected ? this.#detail?.detail : undefined,
      awayMs: this.#awaySinceMs === undefined ? undefined : performance.now() - this.#awaySinceMs,
    };
  }

  /** A terminal that takes no more is noticed by the next snapshot. */
  #redraw(): void {
    this.#draw().catch(() => {});
  }

  async #draw(): Promise<void> {
    await this.#screen?.show((size) => {
      this.#size = size;
      const model = this.#model();
      return model === undefined
        ? []
        : topLines(model, this.#state, this.#options, {...this.#options.display, ...size});
    });
  }
}
