/** What Redis and other programs call what streamlog does. Invariant: every command named here exists. */

/** Commands of Redis, by the command of streamlog that is the same. */
export const REDIS_WORDS: Readonly<Record<string, string>> = {
  xack: 'ack',
  xadd: 'produce',
  xclaim: 'claim',
  xdel: 'delete',
  xgroup: 'group',
  'xgroup create': 'group create',
  'xgroup delconsumer': 'group gc',
  'xgroup destroy': 'group remove',
  'xgroup setid': 'group seek',
  xinfo: 'info',
  'xinfo consumers': 'group consumers',
  'xinfo groups': 'group list',
  'xinfo stream': 'info',
  xnack: 'nack',
  xpending: 'pending',
  xrange: 'range',
  xread: 'tail',
  xreadgroup: 'consume',
  xrevrange: 'range --reverse',
  xtrim: 'trim',
};

const words = (text: string): readonly string[] => text.split(' ');

/** Words of other programs, and what to say. */
export const ELSEWHERE: readonly (readonly [others: readonly string[], hint: string])[] = [
  [words('add append insert pub publish push put send write emit enqueue'), 'streamlog produce adds entries'],
  [
    words('sub subscribe psubscribe receive recv poll next dequeue worker'),
    'streamlog consume reads as a member of a group, streamlog tail without one',
  ],
  [words('follow watch listen monitor'), 'streamlog tail prints new entries as they come'],
  [words('cat view read scan-entries history peek print search'), 'streamlog range prints entries'],
  [words('list streams topics stream topic queues scan keys dir lst'), 'streamlog ls lists the streams'],
  [words('show stat stats status describe desc inspect report'), 'streamlog info shows a stream'],
  [
    words('xlen len length count size lag offsets'),
    'streamlog info shows how long a stream is, and how far behind its groups are',
  ],
  [
    words('rm remove del destroy unlink drop erase'),
    'streamlog delete removes entries, streamlog trim the oldest ones, streamlog group remove a group',
  ],
  [words('purge clear flush truncate'), 'streamlog trim removes the oldest entries: --maxlen 0 all of them'],
  [words('groups consumergroup consumer-groups consumergroups'), 'streamlog group list lists the groups of a stream'],
  [words('consumers consumer members clients'), 'streamlog group consumers lists the consumers of a group'],
  [
    words('dead-letters dead-letter deadletters deadletter dead failed failures dlqs'),
    'streamlog dlq list lists dead letters',
  ],
  [
    words('retry redrive requeue redeliver replay resend'),
    'streamlog dlq redrive puts dead letters back, streamlog nack releases pending entries',
  ],
  [
    words('mirror replicate sync migrate cp shovel move transfer mirror-maker'),
    'streamlog copy copies streams to another server, and follows them with --follow',
  ],
  [
    words('tier offload cold-storage s3 sink to-files write-files'),
    'streamlog archive writes streams to files as entries come',
  ],
  [words('backup dump snapshot save unload bgsave'), 'streamlog export writes streams, with their groups, to a file'],
  [words('restore load recover undump'), 'streamlog import restores streams from an export'],
  [words('xautoclaim'), 'streamlog consume claims what other consumers have abandoned, streamlog claim what you name'],
  [words('commit acknowledge done'), 'streamlog ack acknowledges entries'],
  [words('reject release'), 'streamlog nack releases pending entries'],
  [words('reset seek rewind reset-offsets setid'), 'streamlog group seek moves a group'],
  [words('create new make'), 'streamlog group create makes a group, streamlog produce a stream'],
  [words('server http rest gateway listen-http api'), 'streamlog serve accepts entries over HTTP'],
  [words('start up run daemon'), 'streamlog local start starts a private Redis server'],
  [words('stop down shutdown'), 'streamlog local stop stops the private Redis server'],
  [words('manual usage'), 'streamlog help lists all commands'],
];

export const OTHERS: readonly string[] = ELSEWHERE.flatMap(([others]) => others).filter((word) => word.length > 4);

/** Words that mean the same behind a topic, such as group. */
export const SYNONYMS: readonly (readonly string[])[] = [
  words('list ls show-all index all'),
  words('remove rm delete del destroy drop unset'),
  words('purge rm delete del remove clear flush truncate'),
  words('create add new make init'),
  words('add create new make set save'),
  words('show cat view get read info describe inspect'),
  words('consumers members info show describe'),
  words('seek reset set setid move rewind reset-offsets'),
  words('redrive retry replay requeue resend redeliver'),
  words('gc clean cleanup prune'),
  words('start up run'),
  words('stop down kill shutdown'),
  words('status info stat ps show'),
  words('use switch select activate set'),
  words('test ping check'),
];
