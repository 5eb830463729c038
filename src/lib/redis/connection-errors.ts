/**
 * Why a connection could not be made or was lost: from error codes and texts of ioredis
 * (https://github.com/redis/ioredis/blob/main/lib/redis/event_handler.ts) to a message and a hint. Invariant: a message
 * contains no text of an error that could hold more than an address.
 */
import {StreamlogError} from '../errors.js';

/** The other end of a connection, for messages. */
export interface ServerAddress {
  /** Host and port, socket path or node list; never credentials. */
  address: string;
  /** Where the address came from: `--url`, `STREAMLOG_URL`, … */
  source?: string | undefined;
  usesTls: boolean;
  /** A unix socket, which has no TLS. */
  isSocket?: boolean;
}

const SYSTEM: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the other side cut the connection',
  ECONNABORTED: 'the other side cut the connection',
  EPIPE: 'the other side cut the connection',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
};

const UNTRUSTED = 'TLS: its certificate is not signed by an authority that is trusted here';
const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: 'TLS: its certificate has expired',
  CERT_NOT_YET_VALID: 'TLS: its certificate is not valid yet',
  CERT_REVOKED: 'TLS: its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
};

/** ioredis has no error class for this, so its texts stand for one; tests hold them against the installed version. */
const LOSS =
  /Connection is closed|Socket timeout|Stream isn't writeable|Stream connection ended|aborted due to connection close|startup nodes|slots cache|Cluster isn't ready|Cluster is (ended|dis)|sentinels are unreachable/i;
const NOT_REDIS = /Unknown RESP type|Command queue state|Protocol error|resp\b|Please report this/i;

/** True for what says that there is no connection, or none any more, to whatever was meant. */
export const isConnectionLoss = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code !== undefined && (code in SYSTEM || code in CERTIFICATE || isTlsCode(code))) return true;
  return error instanceof Error && (LOSS.test(error.message) || NOT_REDIS.test(error.message));
};

/** True where what came was no reply: another attempt would get no better one. */
export const isNotRedis = (error: unknown): boolean => error instanceof Error && NOT_REDIS.test(error.message);

/** The failure of a connection that could not be opened: `unreachable`, or `configuration` where trying again is no use. */
export function unreachable(error: unknown, server: ServerAddress): StreamlogError {
  const {isSocket = false} = server;
  const code = codeOf(error);
  if (code?.startsWith('ERR_OSSL_') || code === 'ERR_BORINGSSL') {
    return new StreamlogError('configuration', `the certificates or the key given for TLS cannot be used (${code})`, {
      code,
      hint: '--cacert, --cert and --key name PEM files; --key is the key of --cert, without a passphrase',
    });
  }
  const message = `cannot reach Redis at ${withSource(server)}: ${reasonOf(error)}`;
  return new StreamlogError('unreachable', message, {
    code,
    hint: isSocket && wasCut(error, code) ? SOCKET_CUT : hintFor(error, code, server),
  });
}

/** `127.0.0.1:6379 (STREAMLOG_URL)` */
export const withSource = ({address, source}: Pick<ServerAddress, 'address' | 'source'>): string =>
  source === undefined ? address : `${address} (${source})`;

/** Why, in a few words. */
export function reasonOf(error: unknown): string {
  if (error instanceof StreamlogError) return error.message;
  const code = codeOf(error);
  const known = code === undefined ? undefined : (SYSTEM[code] ?? CERTIFICATE[code]);
  if (known !== undefined) return known;
  const text = error instanceof Error ? error.message : '';
  if (isTlsCode(code)) {
    if (wantsOurCertificate(code)) return 'TLS: the server requires a client certificate';
    return /WRONG_VERSION|HTTP_REQUEST/.test(code ?? '') ? 'it does not speak TLS' : `TLS failed (${code})`;
  }
  const silence = /Socket timeout.* (\d+)ms/.exec(text)?.[1];
  if (silence !== undefined) return `no answer for ${Number(silence) / 1_000} s`;
  if (/sentinels are unreachable/.test(text)) return 'no sentinel answers';
  if (/slots cache|startup nodes/.test(text)) return 'no node of the cluster answers';
  if (NOT_REDIS.test(text)) return 'the server there is not Redis';
  if (LOSS.test(text)) return 'the other side closed the connection';
  return code ?? 'for an unknown reason';
}

/** The error code (https://nodejs.org/api/errors.html#nodejs-error-codes), if there is one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const SOCKET_CUT = 'is it Redis, and does it accept more connections (maxclients)? run again, or see its log';

const wasCut = (error: unknown, code: string | undefined): boolean =>
  code === 'ECONNRESET' || code === 'EPIPE' || (code === undefined && isConnectionLoss(error));

function hintFor(error: unknown, code: string | undefined, {usesTls, source}: ServerAddress): string {
  if (code === 'ENOTFOUND') return `check the name of the host in ${source ?? 'the URL'}`;
  if (code !== undefined && CERTIFICATE[code] === UNTRUSTED) return 'name its authority: --cacert FILE';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'give --url the name that the certificate is for';
  if (code !== undefined && code in CERTIFICATE) return 'the server needs a new certificate';
  if (isTlsCode(code)) {
    return wantsOurCertificate(code) ? 'give --cert FILE --key FILE' : 'does it use TLS? redis:// connects without';
  }
  const cut = wasCut(error, code);
  if (usesTls && (cut || code === 'ETIMEDOUT')) return 'is it running, and does it use TLS? redis:// connects without';
  if (cut) return 'is it Redis, and does it require TLS? rediss:// connects with it';
  return 'is it running? "streamlog local start" runs a private Redis; --url or STREAMLOG_URL names another';
}

const isTlsCode = (code: string | undefined): boolean => code === 'EPROTO' || /^ERR_(SSL|TLS)_/.test(code ?? '');

const wantsOurCertificate = (code: string | undefined): boolean =>
  /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA/.test(code ?? '');
