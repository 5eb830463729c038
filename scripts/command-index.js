// The modules that the build makes of src/commands/** and docs/, as a plugin
// (https://bun.sh/docs/bundler/plugins): `streamlog:commands` is the index (CommandIndex in
// src/lib/cli/command-index.ts), `streamlog:flags` is FlagTable there, `streamlog:details/ID` is what
// only the help of one command needs, and `streamlog:topics/NAME` is a page of docs/. All are dynamic imports
// in the index, so that a bundler sees all of them and a run loads one.

/** What every run knows of every command: enough to list it. */
const BRIEF = ['aliases', 'hiddenAliases', 'hidden', 'summary'];

/** `pjson`, `commands` and `topics` as scripts/read-commands.js reads them. */
export function commandIndex(pjson, commands, topics) {
  const entries = commands.map(({id, file, facts}) => {
    const brief = Object.fromEntries(BRIEF.map((name) => [name, facts[name]]));
    return `${JSON.stringify(id)}: {
  brief: ${JSON.stringify(brief)},
  details: () => import(${JSON.stringify(`streamlog:details/${id}`)}),
  load: () => import(${JSON.stringify(file)}),
}`;
  });
  const texts = new Map(
    commands.map(({id, facts}) => [`details/${id}`, `export default JSON.parse(${quoted(JSON.stringify(facts))});`]),
  );
  const pages = topics.map(({topic, page, summary, text}) => {
    texts.set(`topics/${topic}`, `export default ${JSON.stringify(text)};`);
    const facts = `page: ${JSON.stringify(page)}, summary: ${JSON.stringify(summary)}`;
    return `${JSON.stringify(topic)}: {${facts}, load: () => import(${JSON.stringify(`streamlog:topics/${topic}`)})}`;
  });
  texts.set('flags', `export default JSON.parse(${quoted(JSON.stringify(flagTable(commands)))});`);
  const flags = "() => import('streamlog:flags')";
  texts.set(
    'commands',
    `export const index = {pjson: ${JSON.stringify(pjson)}, commands: {${entries.join(',\n')}}, topics: {${pages.join(',\n')}}, flags: ${flags}};`,
  );
  return {
    name: 'command-index',
    setup(build) {
      build.onResolve({filter: /^streamlog:/}, ({path}) => ({
        path: path.slice('streamlog:'.length),
        namespace: 'streamlog',
      }));
      build.onLoad({filter: /.*/, namespace: 'streamlog'}, ({path}) => ({contents: texts.get(path), loader: 'js'}));
    },
  };
}

/** The index without modules of its own, for what runs from source. */
export function plainIndex(pjson, commands, topics) {
  const entry = ({id, file, facts}) => [
    id,
    {brief: facts, details: async () => ({default: facts}), load: () => import(file)},
  ];
  return {
    pjson,
    commands: Object.fromEntries(commands.map(entry)),
    topics: Object.fromEntries(
      topics.map(({topic, text, ...facts}) => [topic, {...facts, load: async () => ({default: text})}]),
    ),
    flags: async () => ({default: flagTable(commands)}),
  };
}

/** FlagTable of src/lib/cli/command-index.ts. */
export const flagTable = (commands) =>
  Object.fromEntries(
    commands.map(({id, facts}) => [id, Object.fromEntries(Object.values(facts.flags).flatMap(typedAs))]),
  );

const typedAs = ({name, char, type}) =>
  [`--${name}`, ...(char === undefined ? [] : [`-${char}`])].map((typed) => [typed, type === 'option']);

/** A string is read faster than an object written out: https://v8.dev/blog/cost-of-javascript-2019#json */
const quoted = (text) => JSON.stringify(text);
