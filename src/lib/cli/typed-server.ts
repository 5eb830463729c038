/** Which server was typed, for commands that a person may copy. Invariant: no password is in it. */
import {urlWithoutPassword} from '../redact.js';
import type {ConnectionFlags} from './connection-settings.js';

/** Flags that say where a secret is, or who asks: paths and names. */
const OTHERS = [
  ...(['username', 'password-file', 'cacert', 'cert', 'key', 'sni'] as const),
  ...(['sentinel-username', 'sentinel-password-file', 'map-address'] as const),
];

/** The words, as they were typed; those of a URL with a password without it. */
export function typedServer(flags: ConnectionFlags): string[] {
  const {url, context} = flags;
  const harmless = url === undefined ? undefined : urlWithoutPassword(url);
  return [
    ...(context === undefined ? [] : ['-C', context]),
    ...(harmless === undefined ? [] : ['-u', harmless]),
    ...OTHERS.flatMap((name) => [flags[name] ?? []].flat().flatMap((value) => [`--${name}=${value}`])),
  ];
}
