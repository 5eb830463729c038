/** A section that is only read, for --dry-run: what it has is counted. */
import type {EntryLine, ImportOptions, ImportReport, SectionImport} from './import-options.js';

export class ReadSection implements SectionImport {
  readonly #plan: Pick<ImportReport, 'stream' | 'groups' | 'state'>;
  readonly #options: ImportOptions;
  readonly #counts = {entries: 0, gone: 0, pending: 0};

  constructor(plan: Pick<ImportReport, 'stream' | 'groups' | 'state'>, options: ImportOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  take(line: EntryLine): undefined {
    if (line.kind === 'hash') return;
    if (line.kind === 'entry') this.#counts.entries++;
    if (!this.#options.groups) return;
    if (line.kind === 'gone') this.#counts.gone++;
    this.#counts.pending += line.pending.length;
  }

  async end(): Promise<ImportReport> {
    return {...this.#plan, ...this.#counts, already: 0, verified: false, dryRun: true};
  }

  giveUp(): undefined {}
}
