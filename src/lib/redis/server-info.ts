/** What INFO says of a server. Servers differ in what they say: a fact that is missing is undefined. */

export interface ServerInfo {
  /** As it calls itself: `Valkey` also says which Redis it is like. */
  name: 'Redis' | 'Valkey' | 'Dragonfly' | undefined;
  version: string | undefined;
  role: string | undefined;
  uptimeMs: number | undefined;
  memoryBytes: number | undefined;
  /** Of the machine. */
  systemMemoryBytes: number | undefined;
  maxMemoryBytes: number | undefined;
  maxMemoryPolicy: string | undefined;
  evictedKeys: number | undefined;
  connectedClients: number | undefined;
  commandsPerSec: number | undefined;
  /** That are connected now. */
  replicas: number | undefined;
  /** Clients that were cut since the server started, as their output buffers were full; since Redis 7.4 (redis/redis#12476). */
  outputBufferCuts: number | undefined;
}

const SERVERS = [
  ['valkey_version', 'Valkey'],
  ['dragonfly_version', 'Dragonfly'],
  ['redis_version', 'Redis'],
] as const;

/** Of the text of INFO, or of some of its sections. */
export function readServerInfo(text: string): ServerInfo {
  const facts = new Map(linesOf(text));
  const numberIn = (name: string): number | undefined => {
    const value = facts.get(name);
    return value !== undefined && /^\d{1,20}$/.test(value) ? Number(value) : undefined;
  };
  const [fact, name] = SERVERS.find(([version]) => facts.has(version)) ?? [];
  const role = facts.get('role');
  const uptime = numberIn('uptime_in_seconds');
  return {
    name,
    version: fact === undefined ? undefined : facts.get(fact),
    role: role === 'slave' ? 'replica' : role,
    uptimeMs: uptime === undefined ? undefined : uptime * 1_000,
    memoryBytes: numberIn('used_memory'),
    systemMemoryBytes: numberIn('total_system_memory'),
    maxMemoryBytes: numberIn('maxmemory'),
    maxMemoryPolicy: facts.get('maxmemory_policy'),
    evictedKeys: numberIn('evicted_keys'),
    connectedClients: numberIn('connected_clients'),
    commandsPerSec: numberIn('instantaneous_ops_per_sec'),
    replicas: numberIn('connected_slaves'),
    outputBufferCuts: numberIn('client_output_buffer_limit_disconnections'),
  };
}

/** `cmdstat_xinfo|stream:calls=5,usec=100,usec_per_call=20.00,…`: microseconds a call, by command. */
export function readCommandTimes(text: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const [name, facts] of linesOf(text)) {
    const each = /(?:^|,)usec_per_call=(\d+(?:\.\d+)?)/.exec(facts)?.[1];
    if (name.startsWith('cmdstat_') && each !== undefined) times.set(name.slice('cmdstat_'.length), Number(each));
  }
  return times;
}

function* linesOf(text: string): Generator<[name: string, value: string]> {
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) yield [line.slice(0, colon), line.slice(colon + 1).trim()];
  }
}
