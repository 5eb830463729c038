/** Which server and which settings are used, against a naive model over every combination of sources. */
import {describe, expect, it} from 'vitest';
import type {Context} from '../../../src/lib/config/config.js';
import {chooseServer, isProduction, type Sources, settingOf} from '../../../src/lib/config/settings.js';

const SERVERS = [
  '--url',
  '--context',
  'STREAMLOG_URL',
  'STREAMLOG_CONTEXT',
  'project',
  'current',
  'REDIS_URL',
  'private',
] as const;
type Server = (typeof SERVERS)[number];

/** Each context has values of its own, which show where they came from. */
const contextOf = (name: string): Context => ({
  name,
  file: '/etc/streamlog.toml',
  url: `redis://${name}`,
  stream: `stream of ${name}`,
  username: `user of ${name}`,
});
const NAMES = ['flag', 'variable', 'project', 'current'];
const contexts = new Map(NAMES.map((name) => [name, contextOf(name)]));

function sourcesWith(given: ReadonlySet<string>): Sources {
  const when = (source: string, value: string): string | undefined => (given.has(source) ? value : undefined);
  return {
    flags: {
      url: when('--url', 'redis://typed'),
      context: when('--context', 'flag'),
      stream: when('--stream', 'typed'),
      username: when('--username', 'typed'),
    },
    variables: {
      url: when('STREAMLOG_URL', 'redis://set'),
      context: when('STREAMLOG_CONTEXT', 'variable'),
      redisUrl: when('REDIS_URL', 'redis://others'),
      stream: when('STREAMLOG_STREAM', 'set'),
      username: when('STREAMLOG_USERNAME', 'set'),
    },
    project:
      given.has('project') || given.has('project stream')
        ? {
            file: '/home/ada/shop/.streamlog.toml',
            context: when('project', 'project'),
            stream: when('project stream', 'of the project'),
          }
        : undefined,
    contexts,
    current: () => when('current', 'current'),
    privateServer: () => when('private', 'unix:///private'),
    home: undefined,
  };
}

/** Every subset. */
function* subsets<T>(all: readonly T[]): Generator<T[]> {
  for (let bits = 0; bits < 2 ** all.length; bits++) yield all.filter((_, at) => (bits & (1 << at)) !== 0);
}

const URLS: Record<Server, string> = {
  '--url': 'redis://typed',
  '--context': 'redis://flag',
  STREAMLOG_URL: 'redis://set',
  STREAMLOG_CONTEXT: 'redis://variable',
  project: 'redis://project',
  current: 'redis://current',
  REDIS_URL: 'redis://others',
  private: 'unix:///private',
};

describe('the server', () => {
  it('is that of the first source that names one, whatever else is there', () => {
    for (const given of subsets(SERVERS)) {
      const {url, source} = chooseServer(sourcesWith(new Set(given)));
      const first = SERVERS.find((one) => given.includes(one));
      expect(url, given.join()).toBe(first === undefined ? 'redis://127.0.0.1:6379' : URLS[first]);
      expect(source).toContain(
        first === undefined
          ? 'the default'
          : /^(-|S|R)/.test(first) && !/CONTEXT|context/.test(first)
            ? first
            : first === 'private'
              ? 'private'
              : 'context',
      );
    }
  });

  it('is not looked for where it is known', () => {
    const never = (): never => {
      throw new Error('asked');
    };
    for (const first of ['--url', '--context', 'STREAMLOG_URL', 'STREAMLOG_CONTEXT', 'project'])
      chooseServer({...sourcesWith(new Set([first])), current: never, privateServer: never});
  });

  it('is refused where a context is named that does not exist, and a near one is offered', () => {
    const sources = {...sourcesWith(new Set(['--context'])), contexts: new Map([['flags', contextOf('flags')]])};
    expect(() => chooseServer(sources)).toThrow(
      expect.objectContaining({
        kind: 'configuration',
        message: 'there is no context "flag"',
        hint: 'did you mean flags?',
      }),
    );
  });
});

describe('a setting', () => {
  /** The layers in the order of docs/contexts.md, with the context where its rank puts it. */
  function model(name: 'stream' | 'username', given: ReadonlySet<string>): string | undefined {
    const server = SERVERS.find((one) => given.has(one));
    const ofContext = (by: Server, context: string): [boolean, string] => [
      server === by,
      `${name === 'stream' ? 'stream' : 'user'} of ${context}`,
    ];
    const layers: [boolean, string][] = [
      [given.has(`--${name}`), 'typed'],
      ofContext('--context', 'flag'),
      [given.has(`STREAMLOG_${name.toUpperCase()}`), 'set'],
      ofContext('STREAMLOG_CONTEXT', 'variable'),
      [name === 'stream' && given.has('project stream'), 'of the project'],
      ofContext('project', 'project'),
      ofContext('current', 'current'),
    ];
    return layers.find(([holds]) => holds)?.[1];
  }

  it.each(['stream', 'username'] as const)('%s is that of the first source that has it', (name) => {
    const all = [...SERVERS, `--${name}`, `STREAMLOG_${name.toUpperCase()}`, 'project stream'];
    for (const given of subsets(all)) {
      const sources = sourcesWith(new Set(given));
      const found = settingOf(name, sources, chooseServer(sources));
      expect(found?.value, given.join()).toBe(model(name, new Set(given)));
    }
  });

  it('says where it came from', () => {
    const from = (...given: string[]): string | undefined => {
      const sources = sourcesWith(new Set(given));
      return settingOf('stream', sources, chooseServer(sources))?.source;
    };
    expect(from('--stream', 'STREAMLOG_STREAM')).toBe('--stream');
    expect(from('STREAMLOG_STREAM', 'current')).toBe('STREAMLOG_STREAM');
    expect(from('project stream')).toBe('/home/ada/shop/.streamlog.toml');
    expect(from('current')).toBe('context current of /etc/streamlog.toml');
  });

  it('that is a path of a context is relative to its file, or to the home directory', () => {
    const context = {...contextOf('current'), cacert: 'ca.pem', password_file: '~/secret'};
    const sources = {
      ...sourcesWith(new Set(['current'])),
      contexts: new Map([['current', context]]),
      home: '/home/ada',
    };
    const choice = chooseServer(sources);
    expect(settingOf('cacert', sources, choice)?.value).toBe('/etc/ca.pem');
    expect(settingOf('password', sources, choice)?.value).toEqual({file: '/home/ada/secret'});
  });
});

it.each([
  [{}, false],
  [{production: true}, true],
  [{readonly: true}, true],
  [{color: 'red'}, true],
  [{color: 'green'}, false],
  [{readonly: true, production: false}, false],
] as const)('a context with %j is of production: %s', (marks, expected) => {
  expect(isProduction({...contextOf('c'), ...marks})).toBe(expected);
});
