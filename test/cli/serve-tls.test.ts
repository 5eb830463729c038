/** serve by TLS: which versions, which certificate, and its renewal while requests are in hand. */
import {copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {connect, type PeerCertificate, type SecureVersion} from 'node:tls';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {postHead, RUNTIMES, type Served, sendRaw, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {type Certificates, type KeyPair, makeCertificates} from '../support/topologies.js';

const redis = serverForAll();
let certificates: Certificates;
let directory: string;
let cert: string;
let key: string;
beforeAll(async () => {
  certificates = makeCertificates();
  directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  cert = join(directory, 'serve.crt');
  key = join(directory, 'serve.key');
});
afterAll(async () => {
  certificates.remove();
  rmSync(directory, {recursive: true, force: true});
});
beforeEach(() => install(certificates.server));

/** Puts a certificate where serve reads it. */
function install(pair: KeyPair): void {
  copyFileSync(pair.cert, cert);
  copyFileSync(pair.key, key);
}

/** Shakes hands as somebody who trusts our authority only; the error's code where that fails. */
function handshake(url: string, version?: SecureVersion): Promise<{peer: PeerCertificate; protocol: string} | string> {
  const {hostname, port} = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: readFileSync(certificates.ca),
      ...(version === undefined ? {} : {minVersion: version, maxVersion: version}),
      // Node offers no version below 1.2 with its own choice of ciphers.
      ...(version === 'TLSv1.1' ? {ciphers: 'DEFAULT@SECLEVEL=0'} : {}),
      checkServerIdentity: () => undefined,
    });
    socket.once('secureConnect', () => {
      resolve({peer: socket.getPeerCertificate(), protocol: socket.getProtocol() ?? ''});
      socket.destroy();
    });
    socket.once('error', ({code}: NodeJS.ErrnoException) => resolve(code ?? 'unknown'));
  });
}
async function nameOf(url: string): Promise<string> {
  const met = await handshake(url);
  return typeof met === 'string' ? met : String(met.peer.subject.CN);
}

const flags = (): string[] => ['--tls-cert', cert, '--tls-key', key];
const WHOLE = `${postHead('/streams/events', 'Content-Length: 7')}{"n":1}`;
const count = async (served: Served, text: string, times: number): Promise<void> =>
  until(() => served.stderr().split(text).length - 1 === times, `it has said "${text}" ${times} times`);

describe.each(RUNTIMES)('TLS, under %s', (_, start) => {
  it('speaks 1.2 and 1.3, and nothing older', async () => {
    const served = await start(flags(), redis);
    expect(served.url).toMatch(/^https:/);
    expect(await handshake(served.url, 'TLSv1.3')).toMatchObject({protocol: 'TLSv1.3'});
    expect(await handshake(served.url, 'TLSv1.2')).toMatchObject({protocol: 'TLSv1.2'});
    expect(await handshake(served.url, 'TLSv1.1')).toMatch(/ALERT_PROTOCOL_VERSION/);
    await end(served);
  });

  it('adds what it is sent, also in many requests on one connection', async () => {
    const served = await start(flags(), redis);
    const before = await redis.redis.xlen('events');
    const raw = sendRaw(served.url, WHOLE.repeat(20));
    await until(() => statuses(raw.received()).length === 20, 'twenty answers came');
    raw.socket.write(WHOLE.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect(statuses(await raw.closed)).toEqual(Array(21).fill(201));
    expect(await redis.redis.xlen('events')).toBe(before + 21);
    await end(served);
  });

  it('takes no request in the clear, and lives on', async () => {
    const served = await start(flags(), redis);
    const clear = sendRaw(served.url.replace('https', 'http'), WHOLE);
    expect(statuses(await clear.closed)).toEqual([]);
    expect(await nameOf(served.url)).toBe('server');
    await end(served);
  });

  it('takes a new certificate on SIGHUP, and no connection notices', async () => {
    const served = await start(flags(), redis);
    const idle = sendRaw(served.url, WHOLE);
    const halfWay = sendRaw(served.url, WHOLE.slice(0, -3));
    await until(() => statuses(idle.received()).length === 1, 'one connection is idle');
    install(certificates.otherName);
    served.process.kill('SIGHUP');
    await count(served, 'the certificate was read again', 1);
    expect(await nameOf(served.url)).toBe('other-name');
    idle.socket.write(WHOLE);
    halfWay.socket.write(WHOLE.slice(-3));
    await until(() => statuses(idle.received()).length === 2, 'the idle connection is served');
    await until(() => statuses(halfWay.received()).length === 1, 'the other one too');
    expect([...statuses(idle.received()), ...statuses(halfWay.received())]).toEqual([201, 201, 201]);
    await end(served);
  });

  it('keeps the old certificate when the new one is bad, says why, and takes the next good one', async () => {
    const served = await start(flags(), redis);
    const spoil: [() => void, reason: string][] = [
      [() => writeFileSync(cert, 'no certificate'), '--tls-cert names no certificate'],
      [() => copyFileSync(certificates.client.key, key), '--tls-key does not belong to --tls-cert'],
      [() => writeFileSync(key, readFileSync(key).subarray(0, 80)), '--tls-key names no private key'],
      [() => rmSync(key), 'cannot read'],
    ];
    for (const [spoilIt, reason] of spoil) {
      install(certificates.otherName);
      spoilIt();
      served.process.kill('SIGHUP');
      await count(served, `warning: the old certificate stays: ${reason}`, 1);
      expect(await nameOf(served.url)).toBe('server');
    }
    install(certificates.otherName);
    served.process.kill('SIGHUP');
    await count(served, 'the certificate was read again', 1);
    expect(await nameOf(served.url)).toBe('other-name');
    expect(served.stderr()).not.toMatch(/PRIVATE|MII/);
    await end(served);
  });

  it('answers what is in hand when it is told to stop, and ends the rest', async () => {
    const served = await start(flags(), redis);
    const idle = sendRaw(served.url, WHOLE);
    const silent = sendRaw(served.url, '');
    const halfWay = sendRaw(served.url, `${WHOLE}${WHOLE.slice(0, -3)}`);
    await until(() => statuses(idle.received() + halfWay.received()).length === 2, 'the requests are in hand');
    served.process.kill('SIGTERM');
    await until(() => served.stderr().includes('shutting down'), 'the signal arrived');
    await Promise.all([idle.closed, silent.closed]);
    expect(await handshake(served.url)).toBe('ECONNREFUSED');
    halfWay.socket.write(WHOLE.slice(-3));
    const received = await halfWay.closed;
    expect(statuses(received)).toEqual([201, 201]);
    expect(received.trimEnd().split('Connection: close')).toHaveLength(2);
    expect((await served.finished).code).toBe(0);
  });
});

describe('a certificate that cannot be served', () => {
  it.each<[string, () => void, string]>([
    ['is missing', () => rmSync(cert), 'cannot read'],
    ['is none', () => writeFileSync(cert, 'x'), '--tls-cert names no certificate'],
    ['has another key', () => copyFileSync(certificates.client.key, key), '--tls-key does not belong to --tls-cert'],
    ['has no key', () => writeFileSync(key, ''), '--tls-key names no private key'],
  ])('because it %s is a wrong configuration', async (_, spoil, reason) => {
    spoil();
    const {code, stdout, stderr} = await streamlog(['serve', '--listen', '127.0.0.1:0', ...flags()], {server: redis});
    expect([code, stdout, stderr]).toEqual([78, '', expect.stringContaining(reason)]);
    expect(stderr).not.toContain('listening');
  });

  it.each(['--tls-cert', '--tls-key'])('%s alone is a usage error', async (flag) => {
    expect((await streamlog(['serve', flag, cert], {server: redis})).code).toBe(2);
  });
});

async function end(served: Served): Promise<void> {
  served.process.kill('SIGTERM');
  expect((await served.finished).code).toBe(0);
}
