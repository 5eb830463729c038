/**
 * The language of the source: names are made of the field's own words, and what
 * works around another program says where that program is described. Rules are
 * data, and each shows a breach that it must catch.
 */
import {readdirSync, readFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {describe, expect, it} from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Metaphors that were names once, and what they are called now. CONTRIBUTING.md has the words to use. */
const METAPHORS: Record<string, string> = {
  lane: 'accumulator',
  wire: 'add connection',
  fence: 'producer state',
  fenced: 'idempotent',
  mark: 'sequence, offset',
  marks: 'offsets',
  marked: 'raw',
  greet: 'handshake, or the command that is sent',
  link: 'connection, client',
  'in hand': 'in flight',
  handout: 'batch',
  pace: 'budget, rate limit',
  permits: 'limits',
  workshop: 'pool',
  job: 'task',
  jobs: 'tasks',
  bury: 'dead-letter',
  desk: 'handler',
  posting: 'request',
  patience: 'timeouts',
  gathering: 'batcher',
  face: 'view',
  tap: 'interceptor',
  trouble: 'failure, reason',
  doubt: 'uncertain',
  told: 'reported',
  place: 'position, address, path',
  places: 'positions',
  story: 'the name of what happens',
  nobody: 'none, or the condition itself',
  whoever: 'the caller, the owner',
};

/** Names of others, which are what they are. */
const GIVEN = new Map([
  ['linkSync', 'link(2) in node:fs'],
  ['isSymbolicLink', 'of Stats in node:fs'],
  ['highWaterMark', 'the option of streams in Node'],
]);

interface Named {
  /** In a comment. */
  named: RegExp;
  /** An issue of it, or a page about it. */
  cited: RegExp;
}

/** Programs whose behaviour is worked around here and there. */
const UPSTREAM: Record<string, Named> = {
  Bun: {named: /\bBun\b/, cited: /\bbun\.(com|sh)\/|\boven-sh\/\w+#\d/},
  Node: {named: /\bNode\b/, cited: /\bnodejs\.org\/|\bnodejs\/node#\d|\blibuv\.org\/|\blibuv\/libuv#\d/},
  ioredis: {named: /\bioredis\b/, cited: /\bredis\/ioredis(#\d|\/blob\/|\/tree\/)/},
  oclif: {named: /\boclif\b/, cited: /\boclif\.io\/|\boclif\/\w+(#\d|\/blob\/)/},
  Redis: {named: /\bRedis \d+\.\d/, cited: /\bredis\.io\/|\bredis\/redis#\d/},
  Valkey: {named: /\bValkey \d+\.\d/, cited: /\bvalkey\.io\/|\bvalkey-io\/valkey#\d/},
};

describe('names', () => {
  it('are made of the words of the field', () => {
    expect(
      metaphorsIn("import {a} from './wire.js'; // a lane\nconst openWire = (inHand) => `$" + '{jobCount} link`;'),
    ).toEqual(['openWire', 'inHand', 'jobCount']);
    const found = filesUnder('src').flatMap((path) => [
      ...metaphorsIn(read(path)).map((name) => `${path}: ${name}`),
      ...(isMetaphor(path.replace(/\.\w+$/, '')) ? [path] : []),
    ]);
    expect(found).toEqual([]);
  });
});

describe('comments', () => {
  it.each(Object.entries(UPSTREAM))('that name %s say where it is described', (name, {named, cited}) => {
    expect(uncited(`// ${name} 7.0 does this.\n`, {named, cited})).toBe(`// ${name} 7.0 does this.`);
    const files = [...filesUnder('src'), ...filesUnder('bin')];
    const found = files.map((path) => [path, uncited(read(path), {named, cited})]);
    expect(found.filter(([, comment]) => comment !== undefined)).toEqual([]);
  });
});

/** The first comment that names a program of which no comment of the file gives a page or an issue. */
function uncited(text: string, {named, cited}: Named): string | undefined {
  const comments = commentsOf(text);
  return comments.some((comment) => cited.test(comment)) ? undefined : comments.find((comment) => named.test(comment));
}

const commentsOf = (text: string): string[] =>
  (text.match(/\/\*\*?[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n?)+|\s\/\/ .*$/gm) ?? []).map((comment) => comment.trim());

const isMetaphor = (name: string): boolean => {
  const words = ` ${wordsOf(name).join(' ')} `;
  return Object.keys(METAPHORS).some((metaphor) => words.includes(` ${metaphor} `));
};

/** Of `openWire`, `OPEN_WIRE` or `lib/open-wire`: open, wire. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/);

/** Identifiers, without comments, texts and regular expressions. */
function metaphorsIn(text: string): string[] {
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')
    .replace(/(?<=[(=,:?!&|]\s*)\/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\])+\//g, '0')
    .replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
    .replace(/`(?:\\.|[^`\\])*`/g, (template) =>
      [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, it]) => it).join(' '),
    );
  const names = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  return [...names].filter((name) => !GIVEN.has(name) && isMetaphor(name));
}

function filesUnder(directory: string): string[] {
  return readdirSync(join(ROOT, directory), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
