/** What is looked at of a server, node by node in a cluster. Invariant: a check sends only commands that read, and says what the user may not ask. */
import {isFailure} from '../errors.js';
import type {ServerFacts} from '../observe/snapshot.js';
import {listed} from '../output/sentences.js';
import {hotSlot, slotsApart} from './cluster-slots.js';
import type {Check, Examination} from './examination.js';
import type {Sighting} from './finding.js';
import type {FindingId} from './finding-kinds.js';
import {serverBugs} from './server-bugs.js';
import {FINDINGS_OF_SETTINGS, SETTINGS, type ServerNode, untoldSettings} from './server-node.js';
import * as settings from './server-settings.js';
import {slowCommands} from './slow-commands.js';

/** What INFO tells by itself. */
const BY_INFO = ['D20', 'D23', 'D25'] as const;
const BY_SLOW_LOG = ['D28'] as const;

export const SERVER_CHECKS: readonly Check<ServerFacts>[] = [
  {
    ids: ['D18'],
    run: ({mode, masters}, {snapshot, apartMs, commands}) =>
      mode === 'cluster' && masters > 1 ? hotSlot(snapshot.streams, apartMs, commands) : [],
  },
  {
    ids: ['D19'],
    run: ({mode}, {options: {deadLetter}}) =>
      mode === 'cluster' && deadLetter !== undefined ? slotsApart(deadLetter) : [],
  },
  {
    ids: [...BY_INFO, ...FINDINGS_OF_SETTINGS],
    run: async (_, examination) => {
      const nodes = await readNodes(examination);
      return nodes.flatMap((node) => [
        ...Object.values(settings).flatMap((look) => look(node)),
        ...serverBugs(node, examination.snapshot.streams),
      ]);
    },
  },
  {
    ids: BY_SLOW_LOG,
    run: async (_, examination) => {
      const streams = new Set(examination.snapshot.streams.map(({stream}) => stream));
      const {server} = examination.client;
      const found = server.nodes.map(async (node): Promise<Sighting[]> => {
        const log = await ofNode(examination, BY_SLOW_LOG, server.slowCommands(node));
        const about = {node, commands: examination.commands};
        return slowCommands(about, log ?? [], examination.nowMs, (key) => streams.has(key));
      });
      return (await Promise.all(found)).flat();
    },
  },
];

async function readNodes(examination: Examination): Promise<ServerNode[]> {
  const {server} = examination.client;
  const infos = await server.info();
  const wantsConfig = FINDINGS_OF_SETTINGS.some((id) => examination.wants(id));
  const nodes = server.nodes.map(async (node, at): Promise<ServerNode[]> => {
    const info = infos[at];
    if (info === undefined) {
      examination.omit([...BY_INFO, ...FINDINGS_OF_SETTINGS], `there is no INFO${node === '' ? '' : ` of ${node}`}`);
      return [];
    }
    const config = wantsConfig
      ? await ofNode(examination, FINDINGS_OF_SETTINGS, server.config(node, SETTINGS))
      : undefined;
    for (const [id, untold] of config === undefined ? [] : untoldSettings(config))
      examination.omit([id], `CONFIG GET does not tell ${listed(untold)}`);
    return [{node, info, config, commands: examination.commands}];
  });
  return (await Promise.all(nodes)).flat();
}

/** What one node is asked; undefined where the user may not ask, and where a node of a cluster does not answer. */
async function ofNode<T>(
  examination: Examination,
  ids: readonly FindingId[],
  asked: Promise<T>,
): Promise<T | undefined> {
  try {
    return await examination.unlessRefused(ids, asked);
  } catch (error) {
    if (!isFailure(error, 'unreachable') || !examination.client.server.isCluster) throw error;
    examination.omit(ids, error.message);
    return undefined;
  }
}
