import {describe, expect, it} from 'vitest';
import {endpointOf} from '../../../src/lib/redis/endpoint.js';
import {type ConnectionSettings, parseTarget} from '../../../src/lib/redis/server-target.js';

const serverNameFor = (host: string, settings: Partial<ConnectionSettings> = {}): string | undefined =>
  endpointOf(parseTarget({url: 'rediss://h', connectTimeoutMs: 4_000, ...settings}), {host, port: 6379}).tls
    ?.servername;

describe('the server name that TLS asks for', () => {
  it('is the host, and none where that is an address of either kind', () => {
    expect(serverNameFor('redis.example')).toBe('redis.example');
    for (const address of ['127.0.0.1', '::1', '2001:db8::7']) expect(serverNameFor(address), address).toBeUndefined();
  });

  it('is that of the host which is really connected to', () => {
    const mapAddress = ['10.0.0.1:6379=redis.example:7000', 'inside:6379=[::1]:7000'];
    expect(serverNameFor('10.0.0.1', {mapAddress})).toBe('redis.example');
    expect(serverNameFor('inside', {mapAddress})).toBeUndefined();
  });

  it('is that of --sni wherever it is given', () => {
    for (const host of ['redis.example', '127.0.0.1', '::1']) expect(serverNameFor(host, {sni: 'other'})).toBe('other');
  });
});
