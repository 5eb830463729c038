/** What INFO says of a server, or of all masters of a cluster. Invariant: a sum that lacks a master is not known. */
import type {StreamClient} from '../stream-client.js';
import type {ServerFacts} from './snapshot.js';

export async function readServerFacts(client: StreamClient): Promise<ServerFacts> {
  const {server} = client;
  const infos = await server.info();
  const [first] = infos;
  const sum = (figure: 'memoryBytes' | 'maxMemoryBytes' | 'evictedKeys' | 'connectedClients' | 'commandsPerSec') =>
    infos.reduce<number | null>((total, info) => {
      const value = info?.[figure];
      return total === null || value === undefined ? null : total + value;
    }, 0);
  // Without a limit of one, there is none of all.
  const isLimited = infos.every((info) => info?.maxMemoryBytes !== 0);
  return {
    address: server.address,
    name: first?.name?.toLowerCase() ?? null,
    version: first?.version ?? null,
    mode: server.kind,
    role: first?.role === 'master' || first?.role === 'replica' ? first.role : null,
    masters: infos.length,
    uptimeMs: first?.uptimeMs ?? null,
    memoryBytes: sum('memoryBytes'),
    maxMemoryBytes: isLimited ? sum('maxMemoryBytes') : 0,
    maxMemoryPolicy: first?.maxMemoryPolicy ?? null,
    evictedKeys: sum('evictedKeys'),
    connectedClients: sum('connectedClients'),
    commandsPerSec: sum('commandsPerSec'),
  };
}
