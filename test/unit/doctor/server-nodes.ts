/** Nodes as they are by default, for tests of what is found of them. */
import {Commands} from '../../../src/lib/doctor/commands.js';
import type {ServerNode} from '../../../src/lib/doctor/server-node.js';
import {readServerInfo} from '../../../src/lib/redis/server-info.js';

const DEFAULTS = {
  appendonly: 'no',
  save: '3600 1 300 100 60 10000',
  'min-replicas-to-write': '0',
  'min-replicas-max-lag': '10',
  'stream-node-max-bytes': '4096',
  'stream-node-max-entries': '100',
  timeout: '0',
  'tcp-keepalive': '300',
  port: '6379',
  'tls-port': '0',
  'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
};

export const COMMANDS = new Commands(
  {
    streamlog: ['-u', 'redis://h'],
    redisCli: {environment: [], flags: [], urlVariable: undefined},
    lacksPassword: false,
  },
  {nodes: [''], isCluster: false, redisCli: () => ['redis-cli', '-u', 'redis://h:6379']},
);

/** `info` are lines of INFO, `config` what differs from the defaults. */
export function serverNode(info: string[] = [], config: Record<string, string> | null = {}, node = ''): ServerNode {
  const usual = ['redis_version:7.0.15', 'role:master', 'connected_slaves:0', 'used_memory:1000000', 'maxmemory:0'];
  return {
    node,
    info: readServerInfo([...usual, 'maxmemory_policy:noeviction', 'evicted_keys:0', ...info].join('\r\n')),
    config: config === null ? undefined : new Map(Object.entries({...DEFAULTS, ...config})),
    commands: COMMANDS,
  };
}
