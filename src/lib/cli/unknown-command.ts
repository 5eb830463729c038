/**
 * A command that does not exist: what was meant, where that can be said. Loaded only for the message.
 * Invariant: a hint names only commands that exist.
 */
import {type StreamlogError, usageError} from '../errors.js';
import {nearest} from '../near-word.js';
import {beginningOf, redact} from '../redact.js';
import {type CommandIndex, commandTopics, shownCommands} from './command-index.js';
import {helpHint} from './help-hint.js';
import {ELSEWHERE, OTHERS, REDIS_WORDS, SYNONYMS} from './neighbour-words.js';

/** A usage error about the first of `words` or, behind a topic such as `group`, the first two; with `hint` or the best one there is. */
export function unknownCommand(words: readonly string[], index: CommandIndex, hint?: string): StreamlogError {
  const typed = words.slice(0, commandTopics(index).has(words[0]!) ? 2 : 1).join(' ');
  const shown = beginningOf(redact(typed), 60);
  return usageError(`no command "${shown}"`, hint ?? hintFor(words, index) ?? helpHint());
}

function hintFor(words: readonly string[], index: CommandIndex): string | undefined {
  const [first = '', second = ''] = words.map((word) => word.toLowerCase());
  const names = shownCommands(index).map(({name}) => name);
  const topics = [...commandTopics(index).keys()];
  if (topics.includes(first)) return ofTopic(first, second, names);
  const redis = [`${first} ${second}`, first].find((word) => Object.hasOwn(REDIS_WORDS, word));
  if (redis !== undefined) return `streamlog ${REDIS_WORDS[redis]} is ${redis.toUpperCase()}`;
  if (/^(redis|valkey)s?(\+\w+)?:|^unix:/.test(first)) return 'a server is named by -u URL, or --url';
  // `stream info` of nats, `topic list` of rpk.
  if (/^(stream|topic|queue)s?$/.test(first) && second !== '')
    return names.includes(second) ? didYouMean(second) : hintFor([second], index);
  const known = [...names.filter((name) => !name.includes(' ')), ...topics];
  const page = nearest(first, Object.keys(index.topics));
  return (
    elsewhere(first) ??
    didYouMean(nearest(first, known) ?? (page && `help ${page}`)) ??
    elsewhere(nearest(first, OTHERS))
  );
}

const elsewhere = (word: string | undefined): string | undefined =>
  word === undefined ? undefined : ELSEWHERE.find(([others]) => others.includes(word))?.[1];

const didYouMean = (command: string | undefined): string | undefined => command && `did you mean "${command}"?`;

/** For the second word behind a topic. */
function ofTopic(topic: string, typed: string, names: readonly string[]): string {
  const own = names.filter((name) => name.startsWith(`${topic} `)).map((name) => name.slice(topic.length + 1));
  const isSame = (word: string): boolean => SYNONYMS.some((words) => words.includes(typed) && words.includes(word));
  const meant = own.find(isSame) ?? nearest(typed, own);
  return didYouMean(meant && `${topic} ${meant}`) ?? helpHint(topic);
}
