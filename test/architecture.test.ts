/**
 * The import rule and the other promises that the source makes about itself.
 * Rules are data: each says who may, and shows a breach that it must catch.
 */
import {readdirSync, readFileSync} from 'node:fs';
import {basename, join, relative} from 'node:path';
import {describe, expect, it} from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Import {
  from: string;
  /** A file under src, or the name of a package. */
  of: string;
  typeOnly: boolean;
  /** `import()`: loaded when it is needed. */
  late: boolean;
}

interface ImportRule {
  rule: string;
  /** Imports of these … */
  imports: RegExp;
  /** … belong in these files, and nowhere else. */
  belongIn: RegExp;
  /** Types alone may be imported anywhere. */
  typesAreFree?: boolean;
  breach: [from: string, of: string];
}

const IMPORT_RULES: ImportRule[] = [
  {
    rule: 'only lib/redis knows ioredis',
    imports: /^ioredis/,
    belongIn: /^src\/lib\/redis\//,
    breach: ['src/lib/consume/consumer.ts', 'ioredis'],
  },
  {
    rule: 'only lib/output draws',
    imports: /^(chalk|cli-table3)$/,
    belongIn: /^src\/lib\/output\//,
    breach: ['src/commands/info.ts', 'chalk'],
  },
  {
    rule: 'only commands, lib/cli and main know oclif',
    imports: /^@oclif\//,
    belongIn: /^src\/(commands\/|lib\/cli\/|main\.ts$)/,
    breach: ['src/lib/output/table.ts', '@oclif/core'],
  },
  {
    rule: 'what lib/redis does is reached through the stream client',
    imports: /^src\/lib\/redis\//,
    belongIn: /^src\/lib\/(redis\/|stream-client\.ts$)/,
    typesAreFree: true,
    breach: ['src/lib/trimming/trim-stream.ts', 'src/lib/redis/args.ts'],
  },
  {
    rule: 'commands do not know lib/redis, not even its types',
    imports: /^src\/lib\/redis\//,
    belongIn: /^src\/(?!commands\/)/,
    breach: ['src/commands/trim.ts', 'src/lib/redis/args.ts'],
  },
  {
    rule: 'nothing imports a command: what two of them share belongs in lib',
    imports: /^src\/commands\//,
    belongIn: /^$/,
    breach: ['src/commands/tail.ts', 'src/commands/range.ts'],
  },
  {
    rule: 'nothing imports main, which bin/start.js calls',
    imports: /^src\/main\.ts$/,
    belongIn: /^$/,
    breach: ['src/lib/consume/consumer.ts', 'src/main.ts'],
  },
  {
    rule: 'only commands and main know lib/cli',
    imports: /^src\/lib\/cli\//,
    belongIn: /^src\/(commands\/|lib\/cli\/|main\.ts$)/,
    breach: ['src/lib/output/notes.ts', 'src/lib/cli/environment.ts'],
  },
  {
    rule: 'lib/redis knows leaves only',
    imports: /^src\/lib\/(stream-client\.ts$|cli\/|input\/|output\/)/,
    belongIn: /^src\/(?!lib\/redis\/)/,
    breach: ['src/lib/redis/replies.ts', 'src/lib/output/table.ts'],
  },
  {
    rule: 'only lib/cli and main touch the process',
    imports: /^(node:)?process$/,
    belongIn: /^src\/(lib\/cli\/|main\.ts$)/,
    breach: ['src/lib/consume/consumer.ts', 'node:process'],
  },
];

const breaks = (
  {imports, belongIn, typesAreFree = false}: ImportRule,
  {from, of, typeOnly}: Omit<Import, 'late'>,
): boolean => imports.test(of) && !belongIn.test(from) && !(typesAreFree && typeOnly);

interface TextRule {
  rule: string;
  files: RegExp;
  isBroken(text: string): boolean;
  breach: string;
}

/** `process.exit`, `process[…]`, `= process;`, `(process)`; not a property or a word in a sentence. */
const TOUCHES_PROCESS = /(?<![.\w$'"-])process(?:\??\.[a-z]|\[)|[=(,]\s*process\s*[;,)]|globalThis\.process/;

const TEXT_RULES: TextRule[] = [
  {
    rule: 'only lib/cli and main touch the process',
    files: /^src\/(?!lib\/cli\/|main\.ts$)/,
    isBroken: (text) => TOUCHES_PROCESS.test(withoutComments(text)),
    breach: 'const {env} = process;',
  },
  {
    rule: 'a file of lib opens by saying what it owns',
    files: /^src\/lib\//,
    isBroken: (text) => !text.startsWith('/**'),
    breach: "import {readFileSync} from 'node:fs';",
  },
  {
    rule: 'the stream client is a list of Redis commands, in at most 400 lines',
    files: /^src\/lib\/stream-client\.ts$/,
    isBroken: (text) => text.split('\n').length > 400,
    breach: '\n'.repeat(400),
  },
  {
    rule: 'numbers get their commas from number-text.ts, as the first toLocaleString takes up to 20 ms',
    files: /^src\//,
    isBroken: (text) => /\.toLocaleString\(|Intl\.NumberFormat/.test(withoutComments(text)),
    breach: "count.toLocaleString('en')",
  },
  {
    rule: 'nothing is left to do',
    files: /^(src|bin|scripts)\//,
    isBroken: (text) => /\b(TODO|FIXME)\b/.test(text),
    breach: '// TODO: this',
  },
];

describe('imports', () => {
  const imports = sourceFiles().flatMap(importsOf);

  it.each(IMPORT_RULES.map((rule) => [rule.rule, rule] as const))('%s', (_, rule) => {
    const [from, of] = rule.breach;
    expect(breaks(rule, {from, of, typeOnly: false})).toBe(true);
    const found = imports.filter((one) => breaks(rule, one)).map(({from, of}) => `${from} imports ${of}`);
    expect(found, rule.rule).toEqual([]);
  });

  it('never come back to where they started', () => {
    const next = (file: string): string[] =>
      imports.filter(({from, typeOnly}) => from === file && !typeOnly).map(({of}) => of);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (path.includes(file) || done.has(file)) return;
      for (const imported of next(file)) visit(imported, [...path, file]);
      done.add(file);
    };
    for (const file of sourceFiles()) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('of lib/redis end at the stream client, which passes on types alone', () => {
    const values = (text: string): string[] =>
      [...withoutComments(text).matchAll(/^export\s+(?!type\b)(\*|\{[^}]*\})[^;]*\sfrom\s+'\.\/redis\//gm)].flatMap(
        ([, names]) =>
          names!
            .replace(/[{}]/g, '')
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== '' && !name.startsWith('type ')),
      );
    expect(values("export {type A, b} from './redis/c.js';\nexport * from './redis/d.js';")).toEqual(['b', '*']);
    expect(values("export type {A} from './redis/c.js';\nexport {e} from './f.js';")).toEqual([]);
    expect(values(read('src/lib/stream-client.ts'))).toEqual([]);
  });

  it('are all seen by this test', () => {
    expect(imports).toContainEqual({
      from: 'src/lib/redis/command-connection.ts',
      of: 'ioredis',
      typeOnly: false,
      late: false,
    });
    expect(imports).toContainEqual({
      from: 'src/lib/redis/args.ts',
      of: 'src/lib/records/entry-ids.ts',
      typeOnly: true,
      late: false,
    });
    expect(importsIn("export * from './a.js';\nimport './b.js';\nimport {\n  c,\n} from 'c';\n// import 'd';")).toEqual(
      [
        {of: './a.js', typeOnly: false, late: false},
        {of: './b.js', typeOnly: false, late: false},
        {of: 'c', typeOnly: false, late: false},
      ],
    );
  });
});

describe('source files', () => {
  it.each(TEXT_RULES.map((rule) => [rule.rule, rule] as const))('%s', (rule, {files, isBroken, breach}) => {
    expect(isBroken(breach)).toBe(true);
    const paths = [...sourceFiles(), ...filesUnder('bin'), ...filesUnder('scripts')].filter((path) => files.test(path));
    expect(
      paths.filter((path) => isBroken(read(path))),
      rule,
    ).toEqual([]);
  });

  it('are named for what they own, never "utils" and the like', () => {
    const vague = /(^|-)(utils?|helpers?|common|managers?|misc|shared)(-|\.)/;
    expect(vague.test('string-utils.ts')).toBe(true);
    expect([...sourceFiles(), ...filesUnder('test')].filter((path) => vague.test(basename(path)))).toEqual([]);
  });
});

describe('a one-shot produce', () => {
  /** What it loads, whatever its flags are; an import() elsewhere is for what a flag, a file or a terminal asks for. */
  const LOADED = ['src/main.ts', 'src/commands/produce.ts', 'src/lib/stream-client.ts'];
  /** Packages, and modules of what other commands, other input and people at a terminal need. */
  const NOT_LOADED = [
    /^(zod|cli-table3|csv-parse|smol-toml|prom-client)/,
    /^src\/lib\/(completion|consume|dead-letters|filter|groups|handler|observe|reports|serve)\//,
    /^src\/lib\/output\/(views\/|table|screen|markdown|json-fields|ndjson|record-|report-)/,
    /^src\/lib\/input\/(csv|content|lines|line-page|record-reader|separated|gzip|zstd|decompression|encoded|growing|rotated)/,
    /^src\/lib\/config\/(config|config-schema|toml-text)\.ts$/,
    /^src\/lib\/cli\/(confirmation|help|man-page|editor|watch-screen|follow-input|config-reading|configured-flags|command-search)\.ts$/,
  ];
  const imports = sourceFiles().flatMap(importsOf);

  /** The files that come with `from`, each with the file that imports it. */
  function loadedWith(from: readonly string[]): Map<string, string | undefined> {
    const found = new Map<string, string | undefined>(from.map((file) => [file, undefined]));
    for (const file of found.keys())
      for (const {of, typeOnly, late} of imports.filter((one) => one.from === file))
        if (!typeOnly && !late && !found.has(of)) found.set(of, file);
    return found;
  }

  it('loads nothing that only another run needs', () => {
    const found = loadedWith(LOADED);
    const way = (to: string | undefined): string => (to === undefined ? '' : `${way(found.get(to))} → ${to}`);
    const tooMuch = [...found.keys()].filter((file) => NOT_LOADED.some((pattern) => pattern.test(file)));
    expect(tooMuch.map((file) => way(file).slice(3))).toEqual([]);
  });

  it('is known by its imports', () => {
    expect([...loadedWith(LOADED).keys()]).toContain('src/lib/produce/producer.ts');
    expect([...loadedWith(['src/commands/info.ts']).keys()]).toContain('src/lib/output/json-fields.ts');
    for (const pattern of NOT_LOADED)
      expect(
        imports.some(({of}) => pattern.test(of)),
        `${pattern}`,
      ).toBe(true);
  });
});

describe('commands that write', () => {
  /** Of the stream client; what is not here counts as writing, and so does what is new. */
  const READS = new Set(
    (
      'connect another close readyToAdd addEncoder idempotentEncoder length range records rangePage recordPage ids nextId read ' +
      'pendingSummary pending pendingPage pendingEntry info groups group consumers bytes constructor briefInfo'
    ).split(' '),
  );
  /** Names that other objects have too. */
  const COMMON = new Set(['add', 'delete', 'trim', 'claim']);
  /** Commands, and a file of which they use only what reads. */
  const ONLY_READS = new Map([
    ['src/commands/dlq/list.ts', 'src/lib/dead-letters/selection.ts'],
    ['src/commands/dlq/show.ts', 'src/lib/dead-letters/selection.ts'],
  ]);
  const methods = [...read('src/lib/stream-client.ts').matchAll(/^ {2}(?:static )?(?:async )?(\w+)\(/gm)].map(
    ([, name]) => name!,
  );
  const writing = methods.filter((name) => !READS.has(name));
  const calls = new RegExp(
    `\\.(${[...writing.filter((name) => !COMMON.has(name)), 'adderOpener'].join('|')})\\(|` +
      `(client|control|redis|commands)\\.(${[...COMMON].join('|')})\\(|scripts\\s*\\.\\s*(?!briefInfo)\\w+\\(`,
    'i',
  );
  const imports = sourceFiles().flatMap(importsOf);

  /** Files that the one at `from` may run, but for the stream client itself. */
  function reachable(from: string, found = new Set<string>(), command = from): Set<string> {
    if (found.has(from) || /^src\/lib\/(redis\/|stream-client|cli\/(base-command|server-connections))/.test(from))
      return found;
    found.add(from);
    for (const {of, typeOnly} of imports.filter((one) => one.from === from))
      if (!typeOnly && of.startsWith('src/') && of !== ONLY_READS.get(command)) reachable(of, found, command);
    return found;
  }

  it('are known by their calls', () => {
    expect(writing).toEqual(expect.arrayContaining(['addAll', 'readNew', 'claimUncounted', 'setGroup', 'openAdder']));
    expect('await this.#client.acknowledge(stream, group, ids)').toMatch(calls);
    expect('await client.trim(stream, trim)').toMatch(calls);
    expect('names.add(name); text.trim(); await client.scripts.briefInfo(names)').not.toMatch(calls);
  });

  it.each(sourceFiles().filter((path) => path.startsWith('src/commands/')))('%s says whether it writes', (path) => {
    const writers = [...reachable(path)].filter((file) => calls.test(withoutComments(read(file))));
    const text = read(path);
    if (writers.length > 0) expect(text, `it reaches ${writers}`).toContain('static override writes = true;');
    else expect(text).not.toContain('static override writes');
  });
});

function sourceFiles(): string[] {
  return filesUnder('src').filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
}

function filesUnder(directory: string): string[] {
  return readdirSync(join(ROOT, directory), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function importsOf(from: string): Import[] {
  return importsIn(read(from)).map(({of, ...how}) => ({
    from,
    of: of.startsWith('.') ? join(from, '..', of).replace(/\.js$/, '.ts') : of,
    ...how,
  }));
}

/** Static and dynamic imports, and what is exported from elsewhere. */
function importsIn(text: string): Omit<Import, 'from'>[] {
  const found = withoutComments(text).matchAll(
    /^(?:import|export)\s+(type\b)?(?:[^'";]*\sfrom\s*)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found].map(([, type, of, dynamic]) => ({
    of: (of ?? dynamic)!,
    typeOnly: type !== undefined,
    late: dynamic !== undefined,
  }));
}

function withoutComments(text: string): string {
  return text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/.*$/gm, '$1');
}
