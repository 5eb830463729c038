/** Why a run of `produce` ends although its input does not. */
import {StreamlogError} from '../errors.js';

const RUN_AGAIN = 'with --resume or --producer-id, run the same again: what is missing is added';

export const failoverLasts = (): StreamlogError =>
  new StreamlogError('temporary', 'all records were confirmed, during a failover whose outcome is not known', {
    hint: RUN_AGAIN,
  });

export const newMasterAway = ({message, code}: StreamlogError): StreamlogError =>
  new StreamlogError('temporary', `all records were confirmed, by a server that is lost: ${message}`, {
    code,
    hint: RUN_AGAIN,
  });

/** Not retryable: the records are not here any more. */
export const recordsLost = (first: number, last: number): StreamlogError =>
  new StreamlogError(
    'temporary',
    `the server has lost records ${first} to ${last} of this producer, which were confirmed, and more than --hold keeps`,
    {
      code: 'RECORDS_LOST',
      hint: 'a failover, or data that was deleted; with --resume or --producer-id, run the same again',
    },
  );

/** A run that is stopped before there is a connection has nothing to finish. */
export const stoppedConnecting = (): StreamlogError =>
  new StreamlogError('temporary', 'stopped while connecting to Redis: nothing was added');
