/** What serve makes of signals that are not its end, and of files that are not as they should be, under both runtimes. */
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {connect} from 'node:tls';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {RUNTIMES, type Served} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Certificates, makeCertificates} from '../support/topologies.js';

const [OLD, NEW] = ['old-token-0123456789', 'new-token-0123456789'];
const redis = serverForAll();
let certificates: Certificates;
let directory: string;
beforeAll(async () => {
  certificates = makeCertificates();
  directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
});
afterAll(async () => {
  certificates.remove();
  rmSync(directory, {recursive: true});
});

const end = async (served: Served): Promise<void> => {
  served.process.kill('SIGTERM');
  expect((await served.finished).code).toBe(0);
};
const said = (served: Served, text: string): Promise<void> => until(() => served.stderr().includes(text), text);
const status = async (served: Served, token?: string): Promise<number> =>
  (await served.post('/streams/a', '{"n":1}', token === undefined ? {} : {Authorization: `Bearer ${token}`})).status;

describe.each(RUNTIMES)('%s', (name, start) => {
  it('goes on at SIGHUP and SIGUSR1, without TLS and without tokens', async () => {
    const served = await start([], redis);
    served.process.kill('SIGUSR1');
    served.process.kill('SIGHUP');
    await said(served, 'SIGHUP: there is no file to read again');
    expect([await status(served), served.stderr().includes('ebugger')]).toEqual([201, false]);
    await end(served);
  });

  it('takes the tokens that the file holds at SIGHUP, and keeps the old ones where it is bad', async () => {
    const file = join(directory, name === 'Node' ? 'npm' : 'exe');
    writeFileSync(file, `${OLD}\n`, {mode: 0o600});
    const served = await start(['--token-file', file], redis);
    expect([await status(served, OLD), await status(served, NEW)]).toEqual([201, 401]);
    writeFileSync(file, `${NEW}\n`);
    served.process.kill('SIGHUP');
    await said(served, 'the token file was read again');
    expect([await status(served, OLD), await status(served, NEW)]).toEqual([401, 201]);
    writeFileSync(file, 'two words\n');
    served.process.kill('SIGHUP');
    await said(served, 'warning: the old token file stays');
    expect(await status(served, NEW)).toBe(201);
    expect(served.stderr()).not.toContain('can read');
    await end(served);
  });

  it('warns of a short token, and of token and key files that everybody can read', async () => {
    const file = join(directory, 'public');
    writeFileSync(file, 'x\n');
    chmodSync(file, 0o644);
    const {cert, key} = certificates.server;
    chmodSync(key, 0o644);
    const served = await start(['--token-file', file, '--tls-cert', cert, '--tls-key', key], redis);
    for (const text of [`can read ${file}`, `can read ${key}`, 'fewer than 16 characters'])
      expect(served.stderr()).toContain(text);
    expect(served.stderr()).not.toContain('"x"');
    await end(served);
  });

  it('speaks TLS 1.2 with ciphers that keep what was recorded secret, and with no others', async () => {
    const {cert, key} = certificates.server;
    const served = await start(['--tls-cert', cert, '--tls-key', key], redis);
    const {hostname, port} = new URL(served.url);
    const takes = (ciphers: string): Promise<boolean> =>
      new Promise((resolve) => {
        const options = {
          host: hostname,
          port: Number(port),
          ciphers,
          maxVersion: 'TLSv1.2',
          rejectUnauthorized: false,
        } as const;
        const socket = connect(options, () => resolve(true));
        socket.on('secureConnect', () => socket.destroy());
        socket.on('error', () => resolve(false));
      });
    expect(await takes('ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256')).toBe(true);
    for (const ciphers of [
      'AES128-GCM-SHA256:AES256-GCM-SHA384',
      'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA',
      'ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384',
    ])
      expect(await takes(ciphers), ciphers).toBe(false);
    await end(served);
  });
});
