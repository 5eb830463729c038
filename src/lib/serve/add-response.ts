/**
 * What became of the records of a request → its answer. Invariant: an answer of
 * 2xx names the ID of every entry that it speaks of as added.
 */
import type {AddResult} from '../stream-client.js';
import {REFUSALS, Refusal, type RefusalCode, type Response} from './responses.js';

/** `single` for a request of one object, which is answered with its ID. Throws Refusal where nothing was added. */
export function addResponse(
  outcomes: readonly AddResult[],
  single: boolean,
  codeOf: (failure: unknown) => RefusalCode,
): Response {
  const [first] = outcomes;
  if (single && typeof first === 'string') return {status: 201, body: `{"id":"${first}"}\n`, added: 1};
  const codes = new Map<number, RefusalCode>();
  outcomes.forEach((outcome, index) => {
    if (typeof outcome !== 'string') codes.set(index, outcome === undefined ? 'no_stream' : codeOf(outcome));
  });
  const added = outcomes.length - codes.size;
  if (codes.size === 0) return {status: 201, body: {ids: outcomes}, added};
  const distinct = [...new Set(codes.values())];
  if (added === 0 && distinct.length === 1) throw new Refusal(distinct[0]!);
  const results = outcomes.map((outcome, index) => {
    const code = codes.get(index);
    return code === undefined ? {id: outcome} : {error: {code, message: REFUSALS[code].message}};
  });
  if (!distinct.includes('unknown_outcome')) return {status: 207, body: {results}, added};
  const {answer} = new Refusal('unknown_outcome');
  return {...answer, body: {...(answer.body as object), results}, added};
}
