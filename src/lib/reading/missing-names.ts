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
  const [groups, misplaced] = await Promise.all([
    group === undefined ? ('no stream' as const) : knownGroups(client, stream),
    group !== undefined && group !== stream ? hintAtMisplaced(client, group) : undefined,
  ]);
  if (groups === undefined) return failure;
  if (groups !== 'no stream') {
    const isNear = nearName(group!, groups) !== undefined;
    return hinted(failure, failure.message, (isNear ? undefined : misplaced) ?? hintAtGroups(group!, groups, stream));
  }
  const hint = misplaced ?? hintAtStreams(stream, await knownStreams(client), client.server.address);
  return hinted(failure, `no stream "${stream}"`, hint, NO_STREAM);
}

/** `failure`, which refuses `word`, with how to name a stream where there is one of that name. */
export async function withStream(failure: StreamlogError, word: string, client: StreamClient): Promise<StreamlogError> {
  const hint = await hintAtMisplaced(client, word);
  return hint === undefined ? failure : hinted(failure, failure.message, hint);
}

/** Undefined where there is no stream of this name. */
async function hintAtMisplaced(client: StreamClient, stream: string): Promise<string | undefined> {
  const groups = await knownGroups(client, stream);
  if (groups === undefined || groups === 'no stream') return undefined;
  const word = shellWord(stream);
  return `there is a stream ${word}: name it with -s${word.startsWith('-') ? '' : ' '}${word}`;
}

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
