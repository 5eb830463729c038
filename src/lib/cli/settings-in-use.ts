/** What commands use, and where each value comes from, for `context show`. Invariant: it has no password, only where one is. */
import {
  chooseServer,
  isProduction,
  type Secret,
  type ServerChoice,
  type Settings,
  type Sources,
  settingOf,
} from '../config/settings.js';
import type {SettingInUse} from '../output/views/context-view.js';
import {urlWithoutPassword} from '../redact.js';
import type {Config} from './configuration.js';
import {sourcesOf} from './connection-settings.js';

/** By the names of flags. */
const SHOWN: readonly (readonly [setting: string, name: keyof Settings])[] = [
  ['username', 'username'],
  ['password', 'password'],
  ['sentinel-username', 'sentinelUsername'],
  ['sentinel-password', 'sentinelPassword'],
  ['cacert', 'cacert'],
  ['cert', 'cert'],
  ['key', 'key'],
  ['sni', 'sni'],
  ['map-address', 'mapAddress'],
  ['stream', 'stream'],
  ['group', 'group'],
];
const DEFAULTS: Partial<Record<keyof Settings, string>> = {stream: 'events', group: 'streamlog'};

/** With the context `name`, or as things are; and what is there and has no say. */
export function settingsInUse(
  config: Config | undefined,
  name: string | undefined,
): {settings: SettingInUse[]; notes: string[]} {
  const sources = sourcesOf({context: name}, config);
  const choice = chooseServer(sources);
  const {url, source, namedBy, context} = choice;
  const password = urlWithoutPassword(url);
  return {
    settings: [
      {setting: 'url', value: password ?? '', from: source},
      ...(context === undefined ? [] : [{setting: 'context', value: context.name, from: namedBy ?? ''}]),
      ...SHOWN.flatMap(([setting, key]) => settingRow(setting, key, sources, choice)),
      ...(password !== url && settingOf('password', sources, choice) === undefined
        ? [{setting: 'password', value: 'in the URL', from: source}]
        : []),
      ...(context?.readonly ? [{setting: 'readonly', value: 'yes', from: source}] : []),
      ...(context !== undefined && isProduction(context) ? [{setting: 'production', value: 'yes', from: source}] : []),
      ...(context?.color === undefined ? [] : [{setting: 'color', value: context.color, from: source}]),
      ...(context?.description === undefined
        ? []
        : [{setting: 'description', value: context.description, from: source}]),
    ],
    notes: name === undefined ? ignored(sources, choice) : [],
  };
}

function settingRow(setting: string, name: keyof Settings, sources: Sources, choice: ServerChoice): SettingInUse[] {
  const found = settingOf(name, sources, choice);
  if (found !== undefined) return [{setting, value: shown(found.value), from: found.source}];
  const value = DEFAULTS[name];
  return value === undefined ? [] : [{setting, value, from: 'the default'}];
}

function shown(value: string | readonly string[] | Secret): string {
  if (typeof value === 'string') return value;
  if (!('file' in value || 'command' in value || 'text' in value)) return value.join(', ');
  if ('file' in value) return `in ${value.file}`;
  return 'command' in value ? `printed by ${value.command[0]}` : 'set';
}

/** A context that a person may expect to be used. */
function ignored(sources: Sources, {context, source}: ServerChoice): string[] {
  const current = context === undefined ? sources.current() : undefined;
  return current === undefined ? [] : [`the current context ${current} is not used: ${source} names the server`];
}
