/**
 * Whether Redis may drop keys when memory runs out (maxmemory-policy). The state
 * of a producer and of a request is a key that expires, and so the first to go
 * under a volatile policy; what was added may then be added again.
 */

/** The command whose reply `evictionWarning` reads; CONFIG GET is allowed to few. */
export const MEMORY_COMMAND = ['INFO', 'memory'];

/** What to say where keys may go; undefined where they stay, or where the server does not tell. */
export function evictionWarning(info: string, forgets: string): string | undefined {
  const fact = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const policy = fact('maxmemory_policy');
  if (policy === undefined || policy === 'noeviction' || fact('maxmemory') === '0') return undefined;
  return `this Redis drops keys when memory runs out (maxmemory-policy ${policy}), and with them ${forgets}; noeviction keeps them`;
}
