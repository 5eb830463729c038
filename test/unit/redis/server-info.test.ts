import {expect, it} from 'vitest';
import {readServerInfo} from '../../../src/lib/redis/server-info.js';

it('reads the sections of INFO, whatever else stands there', () => {
  const text = [
    '# Server',
    'redis_version:8.6.3',
    '# Memory',
    'used_memory:900',
    'maxmemory:1000',
    'total_system_memory:25276502016',
    '# Stats',
    'client_output_buffer_limit_disconnections:2',
    '# Replication',
    'role:master',
    'connected_slaves:1',
    'slave0:ip=127.0.0.1,port=1,state=online,offset=14,lag=0',
    'no colon',
  ].join('\r\n');
  expect(readServerInfo(text)).toMatchObject({
    name: 'Redis',
    version: '8.6.3',
    role: 'master',
    memoryBytes: 900,
    maxMemoryBytes: 1_000,
    systemMemoryBytes: 25_276_502_016,
    replicas: 1,
    outputBufferCuts: 2,
  });
});

it('takes nothing for 0 that the server does not say', () => {
  const info = readServerInfo('redis_version:7.0.15\r\nconnected_slaves:many\r\n');
  expect(info.replicas).toBeUndefined();
  expect(info.outputBufferCuts).toBeUndefined();
});
