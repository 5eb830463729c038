/** Files that are read whole before the work begins: what comes through pipes, what waits, and what everybody can read. */
import {execFileSync} from 'node:child_process';
import {appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll, until} from '../support/redis-server.js';
import {RUNTIMES, type Running, startShell} from '../support/run-cli.js';
import {type Certificates, makeCertificates} from '../support/topologies.js';

const PASSWORD = 'correct horse';
const server = serverForAll();
let certificates: Certificates;
let directory: string;
beforeAll(async () => {
  certificates = makeCertificates();
  directory = mkdtempSync(join(tmpdir(), 'streamlog-files-'));
  await server.redis.call('ACL', 'SETUSER', 'alice', 'on', `>${PASSWORD}`, '~*', '+@all');
});
afterAll(async () => {
  certificates?.remove();
  rmSync(directory, {recursive: true, force: true});
});

let made = 0;
function fifo(): string {
  const path = join(directory, `fifo${++made}`);
  execFileSync('mkfifo', ['-m', '600', path]);
  return path;
}
function file(text: string, mode: number): string {
  const path = join(directory, `file${++made}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe.each(RUNTIMES)('%s', (_, command) => {
  const start = (line: string, env: Record<string, string> = {}): Running => {
    const running = startShell(`streamlog() { ${command} "$@"; }\n${line}`, {server, env});
    running.process.stdin.end();
    return running;
  };
  const exec = (line: string, env?: Record<string, string>): Running => start(`exec ${command} ${line}`, env);

  it('says that it waits where a FIFO has no writer, and ends at a signal', async () => {
    const {cert} = certificates.server;
    const lines: ((path: string) => [line: string, env?: Record<string, string>])[] = [
      (path) => [`info --username alice --password-file ${path}`],
      (path) => [`produce a=1 --username alice --password-file ${path}`],
      (path) => [`produce a=@${path}`],
      (path) => [`produce --file ${path}`],
      (path) => ['ls --username alice', {STREAMLOG_PASSWORD_FILE: path}],
      (path) => [`consume --name w1 --sentinel-password-file ${path}`],
      (path) => ['serve --listen 127.0.0.1:0', {STREAMLOG_TOKEN_FILE: path}],
      (path) => [`serve --listen 127.0.0.1:0 --tls-cert ${cert} --tls-key ${path}`],
      (path) => [`info --cacert ${path} --url rediss://127.0.0.1:1`],
      (path) => ['ls', {STREAMLOG_CONFIG: path}],
      (path) => ['context list', {STREAMLOG_CONFIG: path}],
    ];
    const endings = lines.map(async (line) => {
      const path = fifo();
      const running = exec(...line(path));
      await until(() => running.stderr().includes(`nobody writes to ${path} yet`), `${line(path)[0]} waits`);
      running.process.kill('SIGINT');
      expect(await running.finished, line(path)[0]).toMatchObject({
        code: 130,
        stdout: '',
        stderr: expect.stringMatching(`^streamlog: warning: nobody writes to ${path} yet; waiting for it\n(?!hint)`),
      });
    });
    await Promise.all(endings);
  });

  it('takes what a FIFO gets in the end', async () => {
    const [secret, value] = [fifo(), fifo()];
    const running = exec(`produce -s late a=@${value} --username alice --password-file ${secret}`);
    await until(() => running.stderr().includes(value), 'it waits for the value');
    appendFileSync(value, 'some bytes');
    await until(() => running.stderr().includes(secret), 'it waits for the password');
    appendFileSync(secret, `${PASSWORD}\n`);
    expect((await running.finished).code).toBe(0);
    expect(await server.redis.xrevrange('late', '+', '-', 'COUNT', 1)).toMatchObject([
      [expect.any(String), ['a', 'some bytes']],
    ]);
  });

  it('takes a FIFO for empty whose writer wrote nothing', async () => {
    const [path, input] = [fifo(), fifo()];
    const stream = `empty${made}`;
    const {code, stderr} = await start(
      `: > ${path} & : > ${input} & streamlog produce -q -s ${stream} a=@${path} && streamlog produce -s ${stream} --file ${input}`,
    ).finished;
    expect([code, stderr]).toEqual([0, expect.stringContaining('read 0, added 0')]);
    expect(await server.redis.xrange(stream, '-', '+')).toEqual([[expect.any(String), ['a', '']]]);
  });

  it('reads what another command prints, however late, in pieces, or not at all', async () => {
    const password = `<(printf correct; sleep 0.1; printf ' horse\\n')`;
    const {code, stdout, stderr} = await start(
      `streamlog produce -s piped a=@<(sleep 0.1; seq 100000) none=@<(true) in=@/dev/stdin <<< text --username alice --password-file ${password} &&
       streamlog consume -s piped --name w1 --exit --username alice --password-file ${password}`,
    ).finished;
    expect([code, stderr]).toEqual([0, '']);
    const {fields} = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as {fields: Record<string, string>};
    expect(fields).toMatchObject({none: '', in: 'text\n'});
    expect(fields.a).toHaveLength(588_895);
  });

  it('warns once of a password or key that everybody can read, unless it is told to be quiet', async () => {
    const path = file(`${PASSWORD}\n`, 0o644);
    const warning = `streamlog: warning: every user of this machine can read ${path}; make it private with chmod 600 or 640\n`;
    const of = async (line: string): Promise<string> => (await exec(line).finished).stderr;
    const given = `--username alice --password-file ${path}`;
    expect(await of(`produce a=1 ${given}`)).toBe(warning);
    expect(await of(`produce a=1 ${given} -q`)).toBe('');
    expect(await of(`produce a=1 --username alice --password-file ${file(PASSWORD, 0o640)}`)).toBe('');
    expect(await of(`ls --cert ${path} --key ${path} --url rediss://127.0.0.1:1`)).toContain(warning);
  });
});
