/** Who sends a request, where tokens are set. */
import type {AuthTokens} from './clients.js';
import type {RequestState} from './http-connection.js';
import {Refusal} from './responses.js';

/** Makes the token, where tokens are set, the client of the request. Throws Refusal for an unknown one. */
export function authenticate(tokens: AuthTokens | undefined, state: RequestState): void {
  if (tokens === undefined) return;
  const token = tokens.identify(state.request.headers.authorization);
  if (token === undefined)
    throw new Refusal('unauthorized', {headers: {'WWW-Authenticate': 'Bearer realm="streamlog"'}});
  state.client = token;
  state.scope = token;
}
