/**
 * Failures that name a stream or group that does not exist, with the names that do. Invariant: a hint suggests only names
 * that exist, and nothing that would create a stream.
 */
import {type Missing, NO_STREAM, StreamlogError} from '../errors.js';
import {shellWord} from '../shell-word.js';
import type {Membership, StreamClient} from '../stream-client.js';
import {type KnownNames, knownConsumers, knownGroups, knownStreams, meantStream, nearName} from './known-names.js';

/** Names in one hint. */
const MOST = 8;

/** `failure` with the hint that is right on this server: asks it for what there is, for a moment, and throws nothing. */
export async function withNames(
  failure: StreamlogError,
  missing: Missing,
  client: StreamClient,
): Promise<StreamlogError> {
  const {stream, group} = missing;
  // At once, since all of it has a moment only.
  const [groups, isStream] = await Promise.all([
    group === undefined ? 'no stream' : knownGroups(client, stream),
    group !== undefined && group !== stream && exists(client, group),
  ]);
  if (groups === undefined) return failure;
  const misplaced = isStream ? nameIt(group) : undefined;
  if (groups !== 'no stream') {
    const isNear = nearName(group!, groups) !== undefined;
    return hinted(failure, failure.message, (isNear ? undefined : misplaced) ?? hintAtGroups(group!, groups, stream));
  }
  const hint = misplaced ?? hintAtStreams(stream, await knownStreams(client), client.server.address);
  return hinted(failure, `no stream "${stream}"`, hint, NO_STREAM);
}

/** `failure`, which refuses `word`, with how to name a stream where there is one of that name. */
export const withStream = async (
  failure: StreamlogError,
  word: string,
  client: StreamClient,
): Promise<StreamlogError> => ((await exists(client, word)) ? hinted(failure, failure.message, nameIt(word)) : failure);

const exists = async (client: StreamClient, stream: string): Promise<boolean> => {
  const groups = await knownGroups(client, stream);
  return groups !== undefined && groups !== 'no stream';
};

const nameIt = (stream: string): string =>
  `there is a stream ${shellWord(stream)}: name it with -s${/^[-{]/.test(stream) ? '' : ' '}${shellWord(stream)}`;

/** That a stream does not exist, for what is found beside it and may be absent too; undefined where it does, or that cannot be found out. */
export async function describeNoStream(client: StreamClient, stream: string): Promise<string | undefined> {
  if ((await knownGroups(client, stream)) !== 'no stream') return undefined;
  return `there is no stream "${stream}"${await meantStream(client, stream)}`;
}

/** That a group has no such consumer, with those that it has; undefined where it has, or that cannot be found out. */
export async function describeNoConsumer(client: StreamClient, member: Membership): Promise<string | undefined> {
  const {stream, group, consumer} = member;
  const consumers = await knownConsumers(client, stream, group);
  if (consumers === undefined || consumers.includes(consumer)) return undefined;
  const near = nearName(consumer, consumers);
  const others = consumers.length === 0 ? 'it has none' : `consumers: ${namesOf(consumers)}`;
  return `group ${group} on ${stream} has no consumer ${consumer}; ${near === undefined ? others : didYouMean(near)}`;
}

const hinted = ({kind, code}: StreamlogError, message: string, hint: string, newCode = code): StreamlogError =>
  new StreamlogError(kind, message, {hint, ...(newCode === undefined ? {} : {code: newCode})});

function hintAtGroups(typed: string, groups: readonly string[], stream: string): string {
  const of = shellWord(stream);
  if (groups.length === 0)
    return `${of} has no groups; to create it: streamlog group create ${shellWord(typed)} --stream ${of}`;
  const near = nearName(typed, groups);
  const all = `groups of ${of}: ${namesOf(groups)}`;
  if (near === undefined) return all;
  return groups.length === 1 ? didYouMean(near) : `${didYouMean(near)} ${all}`;
}

function hintAtStreams(typed: string, {names, areAll}: KnownNames, address: string): string {
  const others = names.filter((name) => name !== typed);
  const near = nearName(typed, others);
  if (near !== undefined) return `${didYouMean(near)} all streams: streamlog ls`;
  if (!areAll || others.length > MOST) return 'see: streamlog ls';
  return others.length === 0 ? `the server at ${address} has no streams` : `streams there: ${namesOf(others)}`;
}

const namesOf = (names: readonly string[]): string =>
  names.slice(0, MOST).map(shellWord).join(', ') + (names.length > MOST ? ` and ${names.length - MOST} more` : '');

const didYouMean = (near: string): string => `did you mean ${shellWord(near)}?`;
