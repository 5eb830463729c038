import {inspect} from 'node:util';
import {ReplyError} from 'ioredis';
import {describe, expect, test} from 'vitest';
import {replyFailure, toConnectFailure, toFailure} from '../../../src/lib/redis/server-errors.js';

const about = {command: 'XADD', stream: 'events', group: 'g'};
const place = {address: 'h:6379', usesTls: false};
const overTls = {...place, usesTls: true};

/** An error reply as ioredis 6 throws it: its class is not exported, its name is the mark. */
const reply = (message: string): Error =>
  Object.assign(new ReplyError(message), {command: {name: 'xadd', args: ['events', '*', 'card', 'SECRET']}});
const system = (code: string): Error => Object.assign(new Error(`connect ${code} SECRET`), {code});

describe('an error reply', () => {
  test.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'data', 'WRONGTYPE'],
    ["NOGROUP No such key 'events' or consumer group 'g' in XREADGROUP with GROUP option", 'notFound', 'NOGROUP'],
    ['ERR no such key', 'notFound', 'NOSTREAM'],
    ['ERR The XGROUP subcommand requires the key to exist. Note that for …', 'notFound', 'NOSTREAM'],
    ['UNBLOCKED force unblock from blocking operation, instance state changed', 'temporary', 'UNBLOCKED'],
    ['NOAUTH Authentication required.', 'denied', 'NOAUTH'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'denied', 'WRONGPASS'],
    ["NOPERM this user has no permissions to run the 'xadd' command", 'denied', 'NOPERM'],
    ['NOPERM No permissions to access a key', 'denied', 'NOPERM'],
    ['DENIED Redis is running in protected mode because …', 'denied', 'DENIED'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'temporary', 'OOM'],
    ['LOADING Redis is loading the dataset in memory', 'temporary', 'LOADING'],
    ["READONLY You can't write against a read only replica.", 'temporary', 'READONLY'],
    ['MISCONF Redis is configured to save RDB snapshots, but …', 'temporary', 'MISCONF'],
    ['BUSY Redis is busy running a script.', 'temporary', 'BUSY'],
    ['NOREPLICAS Not enough good replicas to write.', 'temporary', 'NOREPLICAS'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'temporary', 'MASTERDOWN'],
    ['CLUSTERDOWN Hash slot not served', 'temporary', 'CLUSTERDOWN'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'temporary', 'TRYAGAIN'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'usage', 'CROSSSLOT'],
    ['ERR The ID specified in XADD must be greater than 0-0', 'usage', 'ERR'],
    ['ERR The ID specified in XADD is equal or smaller than the target stream top item', 'data', 'SMALLER_ID'],
    ["ERR unknown command 'xautoclaim', with args beginning with: 'events' ", 'configuration', 'ERR'],
    ["ERR unknown subcommand 'CREATECONSUMER'. Try XGROUP HELP.", 'configuration', 'ERR'],
    ['ERR max number of clients reached', 'temporary', 'MAXCLIENTS'],
    ['ERR DB index is out of range', 'configuration', 'ERR'],
    ['ERR SELECT is not allowed in cluster mode', 'configuration', 'ERR'],
    ['ERR This instance has cluster support disabled', 'configuration', 'ERR'],
    ['ERR No such master with that name', 'configuration', 'ERR'],
    ["ERR ACL failure in script: User x has no permissions to run the 'xadd' command", 'denied', 'NOPERM'],
    ["ERR The user executing the script can't run this command or subcommand script: 21687fe6", 'denied', 'NOPERM'],
    [
      "ERR Error running script (call to f_2168): @user_script:9: @user_script: 9: -OOM command not allowed when used memory > 'maxmemory'.",
      'temporary',
      'OOM',
    ],
    [
      'ERR Error running script (call to f_2168): @user_script:9: WRONGTYPE Operation against a key holding …',
      'data',
      'WRONGTYPE',
    ],
    ['ERR something that nobody has seen before', 'temporary', 'ERR'],
    ['ERR max requests limit exceeded. Limit: 500000', 'temporary', 'ERR'],
    ['upstream failure', 'temporary', 'REFUSED'],
    ['no upstream host', 'temporary', 'REFUSED'],
    ['Error: the backend is gone', 'temporary', 'REFUSED'],
    ['THROTTLED come back later', 'temporary', 'THROTTLED'],
    ['', 'temporary', 'REFUSED'],
    ['ERR Invalid stream ID specified as stream command argument', 'data', 'ERR'],
    ['ERR The stream has exhausted the last possible ID, unable to add more items', 'data', 'ERR'],
    ['ERR Protocol error: invalid bulk length', 'data', 'ERR'],
    ['ERR syntax error', 'configuration', 'ERR'],
    ["ERR wrong number of arguments for 'xadd' command", 'configuration', 'ERR'],
    ['ERR user_script:33: too many results to unpack', 'data', 'ERR'],
    ['BUSYGROUP Consumer Group name already exists', 'data', 'BUSYGROUP'],
  ] as const)('%s', (message, kind, code) => {
    expect(toFailure(reply(message), about)).toMatchObject({kind, code});
  });

  test('names the command and the stream', () => {
    expect(toFailure(reply('NOPERM no'), about).message).toContain('XADD on stream "events"');
    expect(toFailure(reply('OOM no'), about).message).toContain('XADD on stream "events"');
  });

  test.each([
    ["NOPERM User x has no permissions to run the 'evalsha' command", 'EVALSHA, which XADD on stream "events" needs'],
    [
      "NOPERM this user has no permissions to run the 'xadd' command or its subcommand",
      'may not run XADD on stream "events"',
    ],
    [
      "ERR ACL failure in script: User x has no permissions to run the 'expire' command script: 21687fe6, on @user_script:1.",
      'EXPIRE, which XADD',
    ],
    ["NOPERM User x has no permissions to run the 'client|setname' command", 'CLIENT SETNAME, which XADD'],
    ["NOPERM User x has no permissions to access the 'events' key", 'no access to a key of XADD on stream "events"'],
    ['NOPERM No permissions to access a key', 'no access to a key of XADD on stream "events"'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'no access to a key'],
    ["ERR unknown command 'XAUTOCLAIM', with args beginning with: 'SECRET' ", 'does not know XAUTOCLAIM, which XADD'],
    ['ERR unknown command `xadd`, with args beginning with: `SECRET`, ', 'does not know XADD on stream "events"'],
    [
      'ERR Unknown Redis command called from script script: 21687fe6, on @user_script:1.',
      'a command that the script of XADD',
    ],
  ])('names the command that was refused: %s', (text, named) => {
    const {message, hint} = toFailure(reply(text), about);
    expect(message).toContain(named);
    expect(`${message}${hint}`).not.toContain('SECRET');
  });

  test('of a server that is no Redis is shown without what would move a cursor', () => {
    expect(toFailure(reply('up\u001b[2Jstream\u009b'), about).message).toContain('up?[2Jstream?');
  });

  test('MOVED is for the moment within a cluster, and a wrong URL without', () => {
    const moved = reply('MOVED 3999 127.0.0.1:6381');
    expect(toFailure(moved, {...about, inCluster: true}).kind).toBe('temporary');
    expect(toFailure(moved, about)).toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('redis+cluster://'),
    });
  });

  test('a key that went while somebody waited is gone, except in a cluster, where it may have moved', () => {
    const gone = reply('UNBLOCKED the stream key no longer exists');
    expect(toFailure(gone, about).kind).toBe('notFound');
    expect(toFailure(gone, {...about, inCluster: true}).kind).toBe('temporary');
  });

  test.each([
    'Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN Hash slot not served',
    'Command queue state error. If you can reproduce this, please report it. Last error: LOADING Redis is loading',
  ])('is found within what ioredis says when it gives up: %s', (text) => {
    expect(toFailure(new Error(text), about).kind).toBe('temporary');
  });

  test('is found in the answers of sentinels and of cluster nodes', () => {
    const sentinels = new Error(
      'All sentinels are unreachable and retry is disabled. Last error: WRONGPASS invalid username-password pair',
    );
    expect(toConnectFailure(sentinels, place).kind).toBe('denied');
    const cluster = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: reply('NOAUTH Authentication required.'),
    });
    expect(toConnectFailure(cluster, place).kind).toBe('denied');
  });
});

describe('a connection that cannot be made', () => {
  test.each([
    ['ECONNREFUSED', 'nothing listens there', 'streamlog local start'],
    ['ENOENT', 'no such socket', 'streamlog local start'],
    ['ENOTFOUND', 'host name', 'check the name of the host'],
    ['EAI_AGAIN', 'host name', 'streamlog local start'],
    ['ETIMEDOUT', 'no answer in time', 'streamlog local start'],
    ['EACCES', 'permission denied', 'streamlog local start'],
    ['ECONNRESET', 'cut the connection', 'rediss://'],
    ['CERT_HAS_EXPIRED', 'expired', 'new certificate'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'not signed by an authority', '--cacert'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'not signed by an authority', '--cacert'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name', '--url'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'client certificate', '--cert'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'not speak TLS', 'redis://'],
  ])('%s is explained', (code, why, what) => {
    expect(toConnectFailure(system(code), place)).toMatchObject({
      kind: 'unreachable',
      code,
      message: expect.stringContaining(why),
      hint: expect.stringContaining(what),
    });
  });

  test('silence where TLS was to be spoken raises the question whether it is', () => {
    expect(toConnectFailure(system('ETIMEDOUT'), overTls).hint).toContain('TLS');
  });

  test.each(['ERR_OSSL_PEM_NO_START_LINE', 'ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'ERR_BORINGSSL'])(
    '%s is a mistake in the configuration, which no new attempt mends',
    (code) => {
      expect(toConnectFailure(system(code), overTls)).toMatchObject({kind: 'configuration', code});
    },
  );

  test('what is not Redis is called so', () => {
    expect(toConnectFailure(new Error('Unknown RESP type 72 "H". Please report this.'), place).message).toContain(
      'not Redis',
    );
  });
});

describe('a connection that is lost', () => {
  test.each([
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Command aborted due to connection close',
    "Cluster isn't ready and enableOfflineQueue options is false",
    'Cluster is ended.',
    'None of startup nodes is available',
  ])('"%s" is unreachable, not a bug', (text) => {
    expect(toFailure(new Error(text), about)).toMatchObject({kind: 'unreachable', code: 'CLOSED'});
  });

  test.each([
    'Unknown RESP type 72 "H". Please report this.',
    'Invalid array length. Please report this.',
    'Protocol error: a number is none',
  ])('"%s" is not Redis, and no new attempt mends it', (text) => {
    expect(toFailure(new Error(text), about)).toMatchObject({kind: 'unreachable', code: 'NOT_REDIS'});
  });

  test('says why, as far as the connection told', () => {
    const closed = new Error('Connection is closed.');
    const silent = new Error("Socket timeout. Expecting data, but didn't receive any in 15000ms.");
    expect(toFailure(closed, about, {error: silent}).message).toContain('no answer for 15 s');
    expect(toFailure(closed, about, {error: system('ECONNRESET')})).toMatchObject({code: 'ECONNRESET'});
    expect(toFailure(closed, about, {error: system('ECONNREFUSED'), node: 'h:7001'}).message).toContain('h:7001');
  });

  test('anything else is a bug, and its text stays inside', () => {
    const failure = toFailure(new TypeError('SECRET'), about);
    expect(failure).toMatchObject({kind: 'bug', message: 'XADD failed: TypeError'});
  });
});

test('what a script of Redis before 7.0 stopped at is known behind what is written in front of it', () => {
  const text = 'ERR Error running script (call to f_2168): @user_script:9: WRONGTYPE Operation against a key';
  expect(replyFailure(text, about)).toMatchObject({kind: 'data', code: 'WRONGTYPE'});
});

test('a unix socket that is closed at once is not asked for TLS', () => {
  const cut = system('EPIPE');
  expect(toConnectFailure(cut, {address: '/run/redis', usesTls: false, isSocket: true}).hint).toContain('maxclients');
  expect(toConnectFailure(cut, place).hint).toContain('TLS');
});

test('nothing of the arguments leaves, whatever is printed of a failure', () => {
  const errors = [reply('OOM no'), reply('ERR no'), system('ECONNRESET'), system('EWHATEVER'), new Error('SECRET')];
  for (const error of errors) {
    for (const failure of [toFailure(error, about), toConnectFailure(error, place)]) {
      expect(inspect(failure, {depth: Number.POSITIVE_INFINITY, showHidden: true})).not.toContain('SECRET');
    }
  }
});
