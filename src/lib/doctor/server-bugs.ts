/** D25: bugs with streams by version. Invariant: each says in which versions it is, and where that can be read. */
import type {StreamFacts} from '../observe/snapshot.js';
import {counted} from '../output/sentences.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {ServerInfo} from '../stream-client.js';
import type {Sighting} from './finding.js';
import {nodeFigure, onNode, redisCli, type ServerNode} from './server-node.js';

type Version = readonly number[];

interface Bug {
  name: string;
  in: Partial<Record<NonNullable<ServerInfo['name']>, readonly (readonly [since: Version, fixed: Version])[]>>;
  why: string;
  /** How many groups show it; left out for a bug of which nothing is seen. */
  groups?: (streams: readonly StreamFacts[]) => number;
}

const BUGS: readonly Bug[] = [
  {
    // https://github.com/redis/redis/releases/tag/8.2.3
    name: 'CVE-2025-62507',
    in: {
      Redis: [
        [
          [8, 2, 0],
          [8, 2, 3],
        ],
      ],
    },
    why: 'XACKDEL with many IDs overflows the stack: a client may run code on the server.',
  },
  {
    // Fixed by redis/redis#14623.
    name: 'redis/redis#14656',
    in: {
      Redis: [
        [
          [8, 2, 0],
          [8, 2, 7],
        ],
        [
          [8, 4, 0],
          [8, 4, 4],
        ],
      ],
    },
    why: 'XADD and XTRIM with ~ and ACKED or DELREF remove nothing, so the stream grows; = works.',
  },
  {
    // Fixed by redis/redis#13338 and valkey-io/valkey#1952.
    name: 'redis/redis#13337',
    in: {
      Redis: [
        [
          [7, 0, 0],
          [7, 2, 9],
        ],
        [
          [7, 4, 0],
          [7, 4, 2],
        ],
      ],
      Valkey: [
        [
          [7, 2, 0],
          [7, 2, 9],
        ],
        [
          [8, 0, 0],
          [8, 0, 3],
        ],
        [
          [8, 1, 0],
          [8, 1, 1],
        ],
      ],
    },
    why: 'XINFO GROUPS may show a wrong lag to other programs, since entries were deleted that these groups had not read.',
    groups: groupsAtDeleted,
  },
];

export const serverBugs = (node: ServerNode, streams: readonly StreamFacts[]): Sighting[] =>
  BUGS.flatMap((bug) => {
    const {name = 'Redis', version = ''} = node.info;
    const range = bug.in[name]?.find(([since, fixed]) => isBetween(version, since, fixed));
    const groups = bug.groups?.(streams);
    if (range === undefined || groups === 0) return [];
    const fixed = range[1].join('.');
    return [
      {
        id: 'D25',
        seen: {...nodeFigure(node), server: name.toLowerCase(), version, bug: bug.name, fixed, groups: groups ?? null},
        what: `${name} ${version} has ${bug.name}, which ${fixed} has not${groups === undefined ? '' : `; ${counted(groups, 'group')} concerned`}${onNode(node)}`,
        why: bug.why,
        look: [redisCli(node, 'INFO', 'server')],
        mend: [],
      },
    ];
  });

function isBetween(version: string, since: Version, fixed: Version): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  return parts !== undefined && compare(parts, since) >= 0 && compare(parts, fixed) < 0;
}

const compare = (one: Version, other: Version): number =>
  one.map((part, at) => part - other[at]!).find((difference) => difference !== 0) ?? 0;

/** Groups behind which an entry was deleted. */
function groupsAtDeleted(streams: readonly StreamFacts[]): number {
  return streams
    .flatMap(({groups, maxDeletedId}) => (groups ?? []).map(({lastDeliveredId}) => ({lastDeliveredId, maxDeletedId})))
    .filter(
      ({lastDeliveredId, maxDeletedId}) => maxDeletedId !== null && compareStreamIds(maxDeletedId, lastDeliveredId) > 0,
    ).length;
}
