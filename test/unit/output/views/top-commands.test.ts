import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {typedServer} from '../../../../src/lib/cli/typed-server.js';
import {commandLines, suggestions} from '../../../../src/lib/output/views/top-commands.js';
import {groupFacts, streamFacts} from '../../snapshots.js';

/** The words that a shell makes of a command that was copied from the screen. */
const pasted = (lines: readonly string[]): string[] =>
  execFileSync('bash', ['-c', `streamlog() { printf '%s\\0' "$@"; }\n${lines.join('\n')}`], {encoding: 'utf8'})
    .split('\0')
    .slice(0, -1);

describe('commands to copy', () => {
  it.each(['orders', "it's", '$(touch x)', '-rf', 'a b', '漢字', '\u001b[2J', '\u202e', '"`\\!', '*'])(
    'mean the same to a shell: %j',
    (name) => {
      const group = groupFacts({group: name, lag: 5, consumers: 0, trend: 'growing'});
      const [first] = suggestions(streamFacts({stream: name, groups: [group]}), group, ['-C', 'my prod']);
      const flags = name === '-rf' ? ['--stream=-rf', '--group=-rf'] : ['-s', name, '-g', name];
      for (const columns of [40, 60, 200])
        expect(pasted(commandLines(first!.words, columns)!)).toEqual(['consume', ...flags, '-C', 'my prod']);
    },
  );

  it('name what is not text as --stream takes it, also behind a dash', () => {
    const [first] = suggestions(streamFacts({stream: '-\udcff', groups: null}), undefined, []);
    expect(pasted(commandLines(first!.words, 200)!)).toEqual(['info', '--stream={"$b64":"Lf8="}', '--consumers']);
  });

  it('fit the window, or are not shown', () => {
    expect(commandLines(['streamlog', 'x'.repeat(34)], 40)).toEqual(['  streamlog \\', `    ${'x'.repeat(34)}`]);
    expect(commandLines(['streamlog', 'x'.repeat(35)], 40)).toBeUndefined();
  });

  it('say what is wrong: each thing has its command', () => {
    const words = (group: Parameters<typeof groupFacts>[0], dead = 0): string[] => {
      const facts = groupFacts(group);
      const deadLetters = {stream: 's:dead', length: dead, newestAgeMs: null};
      return suggestions(streamFacts({stream: 's', groups: [facts], deadLetters}), facts, []).map((one) =>
        one.words.slice(1).join(' '),
      );
    };
    expect(words({group: 'g'})).toEqual(['info -s s --consumers']);
    expect(words({group: 'g', lag: 3, trend: 'stalled'})).toEqual(['group consumers -s s -g g']);
    expect(words({group: 'g', pending: 3, oldestPendingIdleMs: 61_000}, 2)).toEqual([
      'pending -s s -g g --details --idle 1m',
      'dlq list -s s',
    ]);
    expect(words({group: 'g', pending: 3, maxDeliveries: 10})).toEqual([
      'pending -s s -g g --details --min-deliveries 10 --payload',
    ]);
  });

  it('name the server as it was typed, without a password', () => {
    const typed = (flags: object): string[] => typedServer(flags as Parameters<typeof typedServer>[0]);
    expect(typed({context: 'prod'})).toEqual(['-C', 'prod']);
    expect(typed({url: 'redis://ops:secret@host:6380/2?password=secret'})).toEqual(['-u', 'redis://ops@host:6380/2']);
    expect(typed({url: 'redis://:se/cret@host'})).toEqual([]);
    expect(typed({url: ':6380', 'password-file': '/run/pw', 'map-address': ['a:1=b:2']})).toEqual([
      '-u',
      ':6380',
      '--password-file=/run/pw',
      '--map-address=a:1=b:2',
    ]);
  });
});
