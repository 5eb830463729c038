/**
 * Looks at a server: two readings of its streams, and then one check after the other. Invariant: only commands that read are sent.
 */
import {ownerOfKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import type {ServerFacts, Snapshot, StreamFacts} from '../observe/snapshot.js';
import {twoSnapshots} from '../observe/snapshots.js';
import type {StreamClient} from '../stream-client.js';
import {
  Examination,
  type ExaminationOptions,
  type GroupSubject,
  READINGS_APART_MS,
  type StreamSubject,
} from './examination.js';
import {type Finding, LEVELS} from './finding.js';
import {FINDING_KINDS, type FindingKind} from './finding-kinds.js';
import {GROUP_CHECKS} from './group-checks.js';
import {leftOverKeys} from './key-checks.js';
import {SERVER_CHECKS} from './server-checks.js';
import {STREAM_CHECKS} from './stream-checks.js';

export interface Diagnosis {
  snapshot: Snapshot;
  /** By stream, the server last; in a stream the worst first. */
  findings: Finding[];
  /** What could not be looked at, a sentence each. */
  unexamined: string[];
  /** Whether the server was looked at, too. */
  withServer: boolean;
}

/** Undefined after `stopping`. Throws `notFound` where the group is in none of the streams. */
export async function diagnose(client: StreamClient, options: ExaminationOptions): Promise<Diagnosis | undefined> {
  const {streams, match, group, stopping, onProgress} = options;
  onProgress('reading streams');
  const reading = {everyMs: READINGS_APART_MS, streams, match, maxStreams: Number.POSITIVE_INFINITY};
  const read = await twoSnapshots(client, reading, stopping);
  if (read === undefined) return undefined;
  const [before, snapshot] = read;
  const examination = new Examination(client, options, snapshot);
  const ofStreams = subjectsOf(snapshot, before).filter(({stream}) => ownerOfKey(stream.stream) === undefined);
  const ofGroups = ofStreams
    .flatMap(groupSubjects)
    .filter((subject) => group === undefined || subject.group.group === group);
  if (group !== undefined && ofGroups.length === 0) throw await noSuchGroup(client, streams, group);
  for (const {stream} of ofStreams)
    if (stream.groups === null)
      examination.omit(
        GROUP_CHECKS.flatMap(({ids}) => ids),
        'the user may not send XINFO GROUPS',
      );
  examination.expectPending(sumOf(ofGroups.map((subject) => subject.group.pending)));
  const withServer = wantsServer(options);
  const findings = [
    ...(group === undefined ? await examination.run(STREAM_CHECKS, ofStreams, ({stream}) => aboutStream(stream)) : []),
    ...(await examination.run(GROUP_CHECKS, ofGroups, ({stream, group}) => ({
      stream: stream.stream,
      group: group.group,
    }))),
    ...(group === undefined ? await examination.run<ServerFacts>([leftOverKeys], [snapshot.server], aboutServer) : []),
    ...(withServer ? await examination.run<ServerFacts>(SERVER_CHECKS, [snapshot.server], aboutServer) : []),
  ];
  if (stopping.aborted) return undefined;
  return {snapshot, findings: inOrder(findings.filter(isNotExplained)), unexamined: examination.unexamined, withServer};
}

async function noSuchGroup(
  client: StreamClient,
  streams: readonly string[] | undefined,
  group: string,
): Promise<StreamlogError> {
  // It says so itself where it can be asked.
  if (streams?.length === 1) await client.group(streams[0]!, group);
  return new StreamlogError('notFound', `no group "${group}" on any of the streams`, {
    hint: 'see: streamlog group list',
  });
}

/** Whether no other finding of the same stream and group is why. */
function isNotExplained({id, stream, group}: Finding, _at: number, all: readonly Finding[]): boolean {
  const {explainedBy = []}: FindingKind = FINDING_KINDS[id];
  return !all.some((other) => other.stream === stream && other.group === group && explainedBy.includes(other.id));
}

const aboutServer = (): Pick<Finding, 'stream' | 'group'> => ({stream: null, group: null});
const aboutStream = ({stream}: StreamFacts): Pick<Finding, 'stream' | 'group'> => ({stream, group: null});

/** Where streams are chosen, only they are looked at, unless a kind is asked for. */
const wantsServer = ({streams, match, group, only}: ExaminationOptions): boolean =>
  (streams === undefined && match === undefined && group === undefined) ||
  SERVER_CHECKS.some(({ids}) => ids.some((id) => only?.has(id)));

function subjectsOf(snapshot: Snapshot, before: Snapshot): StreamSubject[] {
  const earlier = new Map(before.streams.map((stream) => [stream.stream, stream]));
  return snapshot.streams.map((stream) => ({stream, before: earlier.get(stream.stream)}));
}

function groupSubjects(subject: StreamSubject): GroupSubject[] {
  const earlier = new Map(subject.before?.groups?.map((group) => [group.group, group]));
  return (subject.stream.groups ?? []).map((group) => ({...subject, group, groupBefore: earlier.get(group.group)}));
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const compare = (one: string | null, other: string | null): number =>
    one === other ? 0 : one === null ? 1 : other === null ? -1 : one < other ? -1 : 1;
  return findings.toSorted(
    (one, other) =>
      compare(one.stream, other.stream) ||
      LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level) ||
      compare(one.id, other.id) ||
      compare(one.group, other.group),
  );
}

const sumOf = (figures: readonly number[]): number => figures.reduce((sum, figure) => sum + figure, 0);
