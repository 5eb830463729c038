/**
 * How `serve` and `metrics` listen: at an address, with the tokens and the certificate that flags name, which SIGHUP reads again.
 * Invariant: other machines reach neither without a token, unless a flag says so.
 */
import type {FileReading} from '../input/whole-file.js';
import type {Notes} from '../output/notes.js';
import type {AuthTokens} from '../serve/clients.js';
import {HttpServer, type HttpServerOptions} from '../serve/http-server.js';
import {parseListenAddress, parseSocketMode} from '../serve/listen.js';
import {type HostGuard, hostGuard} from '../serve/request-head.js';
import {
  hasTokenFile,
  readCertificate,
  reloadTokens,
  serveTokens,
  type TlsFlags,
  type TokenFlags,
} from './serve-flags.js';
import {Reload} from './serve-reload.js';

type ListenFlags = TokenFlags & TlsFlags & {listen: string; 'socket-mode': string; 'allow-host'?: string[] | undefined};

export interface HttpListener {
  /** Undefined: no token is required. */
  tokens: AuthTokens | undefined;
  guard: HostGuard;
  /** Listens, and says where. Throws a configuration failure when the address is in use or not ours, or the certificate is bad. */
  listen(options: Pick<HttpServerOptions, 'answer' | 'onAnswered'>): Promise<HttpServer>;
}

/**
 * Reads what `flags` name; from now on SIGHUP ends nothing. Throws a usage error, and a configuration failure for a file that
 * cannot be read and where a token is missing.
 */
export async function httpListener(flags: ListenFlags, notes: Notes, reading: FileReading): Promise<HttpListener> {
  const reload = new Reload(notes);
  reload.install();
  const address = parseListenAddress(flags.listen);
  const tokens = await serveTokens(flags, address, reading, (text) => notes.warn(text));
  const tls = await readCertificate(flags, reading);
  const socketMode = parseSocketMode(flags['socket-mode']);
  const guard = hostGuard({address, secured: tokens !== undefined, allowed: flags['allow-host'] ?? []});
  const onBug = (error: unknown): void =>
    notes.warn(`this is a bug in streamlog: ${error instanceof Error ? error.stack : error}`);
  const listen: HttpListener['listen'] = async (options) => {
    // Files that this process creates from now on, such as a socket, are for its user only.
    process.umask(0o077);
    const server = await HttpServer.listen(address, {...options, tls, socketMode, onBug});
    if (tls !== undefined)
      reload.add('certificate', async () => server.replaceTls((await readCertificate(flags, reading))!));
    if (tokens !== undefined && hasTokenFile(flags))
      reload.add('token file', () => reloadTokens(tokens, flags, reading));
    notes.note(`listening on ${server.url}`);
    return server;
  };
  return {tokens, guard, listen};
}
