/**
 * Every command and how to load it. One is loaded a run; a bundler sees all of
 * them here, which it could not in a directory that is searched at run time. A
 * test holds this table against src/commands.
 */
export const commandTable: Record<string, () => Promise<{default: unknown}>> = {
  info: () => import('./commands/info.js'),
  trim: () => import('./commands/trim.js'),
};
