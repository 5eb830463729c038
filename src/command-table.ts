/**
 * Every command and how to load it. One is loaded a run; a bundler sees all of
 * them here, which it could not in a directory that is searched at run time. A
 * test holds this table against src/commands.
 */
export const commandTable: Record<string, () => Promise<{default: unknown}>> = {
  'dlq:list': () => import('./commands/dlq/list.js'),
  'dlq:show': () => import('./commands/dlq/show.js'),
  'dlq:redrive': () => import('./commands/dlq/redrive.js'),
  'dlq:purge': () => import('./commands/dlq/purge.js'),
  'group:list': () => import('./commands/group/list.js'),
  'group:create': () => import('./commands/group/create.js'),
  'group:seek': () => import('./commands/group/seek.js'),
  'group:remove': () => import('./commands/group/remove.js'),
  'group:consumers': () => import('./commands/group/consumers.js'),
  'group:gc': () => import('./commands/group/gc.js'),
  ack: () => import('./commands/ack.js'),
  claim: () => import('./commands/claim.js'),
  delete: () => import('./commands/delete.js'),
  get: () => import('./commands/get.js'),
  completion: () => import('./commands/completion.js'),
  info: () => import('./commands/info.js'),
  consume: () => import('./commands/consume.js'),
  'local:start': () => import('./commands/local/start.js'),
  'local:status': () => import('./commands/local/status.js'),
  'local:stop': () => import('./commands/local/stop.js'),
  ls: () => import('./commands/ls.js'),
  nack: () => import('./commands/nack.js'),
  pending: () => import('./commands/pending.js'),
  demo: () => import('./commands/demo.js'),
  produce: () => import('./commands/produce.js'),
  range: () => import('./commands/range.js'),
  serve: () => import('./commands/serve.js'),
  tail: () => import('./commands/tail.js'),
  trim: () => import('./commands/trim.js'),
};
