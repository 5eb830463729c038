/** Contexts as people and scripts see them. Invariant: a URL is shown without its password. */
import type {Context} from '../../config/config.js';
import {isProduction} from '../../config/settings.js';
import {urlWithoutPassword} from '../../redact.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {renderTable} from '../table.js';

export interface ContextSummary {
  context: string;
  current: boolean;
  url: string | null;
  readonly: boolean;
  production: boolean;
  description: string | null;
  file: string;
}

/** A setting, its value, and where that came from. */
export interface SettingInUse {
  setting: string;
  value: string;
  from: string;
}

export const contextSummary = (context: Context, current: string | undefined): ContextSummary => ({
  context: context.name,
  current: context.name === current,
  url: urlWithoutPassword(context.url) ?? null,
  readonly: context.readonly === true,
  production: isProduction(context),
  description: context.description ?? null,
  file: context.file,
});

export const renderContexts = (contexts: readonly ContextSummary[], display: Display): string =>
  renderTable(
    contexts,
    [
      {heading: '', cell: ({current}) => (current ? '*' : ' ')},
      {heading: 'context', least: LEAST_NAME, cell: ({context}) => context},
      {heading: 'server', least: LEAST_NAME, cell: ({url}) => url ?? ''},
      {
        heading: 'writing',
        priority: 1,
        cell: ({readonly, production}) => (readonly ? 'refused' : production ? 'production' : ''),
      },
      {heading: 'description', least: LEAST_NAME, priority: 2, cell: ({description}) => description ?? ''},
    ],
    display,
  );

export const renderSettings = (settings: readonly SettingInUse[], display: Display): string =>
  renderTable(
    settings,
    [
      {heading: 'setting', cell: ({setting}) => setting},
      {heading: 'value', least: LEAST_NAME, cell: ({value}) => value},
      {heading: 'from', least: LEAST_NAME, cell: ({from}) => from},
    ],
    display,
  );
