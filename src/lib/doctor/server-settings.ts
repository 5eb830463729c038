/** What settings of a server do to its streams: each function looks at one node. */
import {counted} from '../output/sentences.js';
import {shellWord} from '../shell-word.js';
import {formatSize} from '../size.js';
import type {Sighting} from './finding.js';
import {SERVER_LIMITS} from './server-findings.js';
import {configSet, nodeFigure, numberSetting, onNode, redisCli, type ServerNode} from './server-node.js';

/** What Redis has by default (https://github.com/redis/redis/blob/unstable/redis.conf). */
const DEFAULT = {nodeBytes: 4096, nodeEntries: 100, keepaliveSeconds: 300, save: '3600 1 300 100 60 10000'};

/** D20. With another policy, or without maxmemory, no stream goes that has no TTL. */
export function eviction(node: ServerNode): Sighting[] {
  const {maxMemoryPolicy: policy, maxMemoryBytes, evictedKeys} = node.info;
  if (!policy?.startsWith('allkeys-') || maxMemoryBytes === undefined || maxMemoryBytes === 0) return [];
  const evicted = evictedKeys === undefined || evictedKeys === 0 ? '' : `, and ${counted(evictedKeys, 'key')} went`;
  return [
    {
      id: 'D20',
      seen: {...nodeFigure(node), maxMemoryPolicy: policy, maxMemoryBytes, evictedKeys: evictedKeys ?? null},
      what: `maxmemory-policy is ${policy}${evicted}${onNode(node)}`,
      why: 'A server that is full drops whole streams with their groups.',
      look: [redisCli(node, 'INFO', 'memory')],
      mend: [configSet(node, 'maxmemory-policy', 'noeviction')],
    },
  ];
}

/** D21. A replica has the data of its master. */
export function persistence(node: ServerNode): Sighting[] {
  const [appendOnly, save] = [node.config?.get('appendonly'), node.config?.get('save')];
  if (node.info.role === 'replica' || appendOnly !== 'no' || save !== '') return [];
  return [
    {
      id: 'D21',
      seen: {...nodeFigure(node), appendonly: appendOnly, save},
      what: `appendonly and save are both off${onNode(node)}`,
      why: 'A restart loses all streams and groups.',
      look: [redisCli(node, 'INFO', 'persistence')],
      mend: [
        configSet(node, 'appendonly', 'yes', 'to lose at most the last second'),
        configSet(node, 'save', DEFAULT.save, 'to lose at most what is newer than a snapshot'),
      ],
    },
  ];
}

/** D22. Both settings must be above 0 to have an effect. */
export function minReplicas(node: ServerNode): Sighting[] {
  const {role, replicas = 0} = node.info;
  const [toWrite, maxLag] = [numberSetting(node, 'min-replicas-to-write'), numberSetting(node, 'min-replicas-max-lag')];
  if (role !== 'master' || replicas === 0 || toWrite === undefined || maxLag === undefined) return [];
  if (toWrite > 0 && maxLag > 0) return [];
  const name = toWrite === 0 ? 'min-replicas-to-write' : 'min-replicas-max-lag';
  return [
    {
      id: 'D22',
      seen: {...nodeFigure(node), replicas, minReplicasToWrite: toWrite, minReplicasMaxLag: maxLag},
      what: `${name} is 0 with ${counted(replicas, 'replica')}${onNode(node)}`,
      why: 'A master that is cut off from its replicas goes on taking entries, and a failover loses them.',
      look: [redisCli(node, 'INFO', 'replication')],
      mend: [configSet(node, name, toWrite === 0 ? '1' : '10', 'with XADD refused while no replica answers')],
    },
  ];
}

/** Of maxmemory, after it was raised. */
const PERCENT_AFTER = 70;
/** Of the memory of the machine: forks and buffers take some, too. */
const MACHINE_PERCENT = 80;

/** D23. */
export function memory(node: ServerNode): Sighting[] {
  const {memoryBytes, maxMemoryBytes, maxMemoryPolicy, systemMemoryBytes} = node.info;
  if (memoryBytes === undefined || maxMemoryBytes === undefined || maxMemoryBytes === 0) return [];
  const percent = (memoryBytes / maxMemoryBytes) * 100;
  if (percent <= SERVER_LIMITS.memoryPercent) return [];
  const moreBytes = Math.ceil(((memoryBytes / PERCENT_AFTER) * 100) / 1024 ** 2) * 1024 ** 2;
  const hasRoom = systemMemoryBytes !== undefined && moreBytes <= (systemMemoryBytes * MACHINE_PERCENT) / 100;
  return [
    {
      id: 'D23',
      seen: {...nodeFigure(node), memoryBytes, maxMemoryBytes, percent: Math.floor(percent)},
      what: `${Math.floor(percent)} % of maxmemory is used, ${formatSize(memoryBytes)} of ${formatSize(maxMemoryBytes)}${onNode(node)}`,
      why:
        maxMemoryPolicy === 'noeviction'
          ? 'At 100 % Redis refuses every XADD.'
          : 'At 100 % Redis drops keys, or refuses every XADD.',
      look: [node.commands.streamlog('ls', '--sort', 'bytes')],
      mend: hasRoom ? [configSet(node, 'maxmemory', `${moreBytes / 1024 ** 2}mb`)] : [],
    },
  ];
}

/** D24. 0 is no limit. */
export function nodeSize(node: ServerNode): Sighting[] {
  const bytes = numberSetting(node, 'stream-node-max-bytes');
  const entries = numberSetting(node, 'stream-node-max-entries');
  if (bytes === undefined || entries === undefined) return [];
  const {mostNodeBytes, mostNodeEntries, leastNodeEntries} = SERVER_LIMITS;
  const isSmall = entries > 0 && entries < leastNodeEntries;
  const isLarge = (bytes === 0 || bytes > mostNodeBytes) && (entries === 0 || entries > mostNodeEntries);
  if (!isSmall && !isLarge) return [];
  return [
    {
      id: 'D24',
      seen: {...nodeFigure(node), streamNodeMaxBytes: bytes, streamNodeMaxEntries: entries},
      what: `stream-node-max-bytes is ${bytes} and stream-node-max-entries is ${entries}${onNode(node)}`,
      why: isSmall
        ? 'Each entry takes much more memory than it needs.'
        : 'Redis reads through a whole node to find an entry, and trims with ~ only whole nodes.',
      look: [redisCli(node, 'CONFIG', 'GET', shellWord('stream-node-max-*'))],
      mend: isSmall
        ? [configSet(node, 'stream-node-max-entries', String(DEFAULT.nodeEntries), 'for new entries')]
        : [configSet(node, 'stream-node-max-bytes', String(DEFAULT.nodeBytes), 'for new entries')],
    },
  ];
}

/** D26. There are no dead connections on a socket of the same machine. */
export function idleClients(node: ServerNode): Sighting[] {
  const [timeout, keepalive] = [numberSetting(node, 'timeout'), numberSetting(node, 'tcp-keepalive')];
  const hasPort = (['port', 'tls-port'] as const).some((name) => (numberSetting(node, name) ?? 0) > 0);
  const found: Sighting[] = [];
  if (keepalive === 0 && hasPort)
    found.push({
      id: 'D26',
      seen: {...nodeFigure(node), tcpKeepaliveSeconds: keepalive},
      what: `tcp-keepalive is 0${onNode(node)}`,
      why: 'The connection of a client whose machine died stays open for ever, until no new client is let in.',
      look: [redisCli(node, 'INFO', 'clients')],
      mend: [configSet(node, 'tcp-keepalive', String(DEFAULT.keepaliveSeconds), 'for new connections')],
    });
  if (timeout !== undefined && timeout > 0 && timeout * 1_000 < SERVER_LIMITS.shortTimeoutMs)
    found.push({
      id: 'D26',
      seen: {...nodeFigure(node), timeoutSeconds: timeout},
      what: `timeout is ${timeout} s${onNode(node)}`,
      why: 'Redis cuts a producer that adds nothing for that long, and its next XADD fails.',
      look: [redisCli(node, 'INFO', 'clients')],
      mend: [configSet(node, 'timeout', '0')],
    });
  return found;
}

/** D27. By default only replicas and subscribers are limited. */
export function outputBuffers(node: ServerNode): Sighting[] {
  const {outputBufferCuts: cuts} = node.info;
  const limits = node.config?.get('client-output-buffer-limit') ?? '';
  const [, hard, soft, softSeconds] = /(?:^| )normal (\d+) (\d+) (\d+)(?: |$)/.exec(limits)?.map(Number) ?? [];
  const lowest = [hard, soft].flatMap((bytes) => (bytes === undefined || bytes === 0 ? [] : [bytes]));
  if (cuts === undefined || cuts === 0 || lowest.length === 0) return [];
  return [
    {
      id: 'D27',
      seen: {
        ...nodeFigure(node),
        cutClients: cuts,
        hardLimitBytes: hard ?? null,
        softLimitBytes: soft ?? null,
        softLimitSeconds: softSeconds ?? null,
      },
      what: `${counted(cuts, 'client')} cut off since the server started; normal clients may buffer ${formatSize(Math.min(...lowest))}${onNode(node)}`,
      why: 'A consumer that reads much at once loses its connection in the middle of a reply, and its entries stay pending.',
      look: [redisCli(node, 'CONFIG', 'GET', 'client-output-buffer-limit')],
      mend: [configSet(node, 'client-output-buffer-limit', 'normal 0 0 0')],
    },
  ];
}
