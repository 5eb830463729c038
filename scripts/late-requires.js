// Makes packages load their dependencies when they first use them: a one-shot
// command uses a tenth of oclif and half of ioredis. Works on CommonJS as
// TypeScript emits it, whose names for required modules (`path_1`) are unique and
// never assigned again. A plugin for https://bun.sh/docs/bundler/plugins.
import {readFileSync} from 'node:fs';

/** `const path_1 = require("path");`, `var help_1 = __importDefault(require("./help"));` */
const REQUIRED = /^(?:const|var) (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm;
/** `exports.Flags = __importStar(require("./flags"));` */
const REQUIRED_FOR_EXPORT = /^exports\.(\w+) = (__importStar\(require\("[^"]+"\)\));$/gm;

export const lateRequires = {
  name: 'late-requires',
  setup(build) {
    build.onLoad({filter: /\/node_modules\/.*\.js$/}, ({path}) => {
      const text = readFileSync(path, 'utf8');
      const contents = requireLate(text);
      return contents === text ? undefined : {contents, loader: 'js'};
    });
  },
};

/** The changed text of a module; the same text if there is nothing to change. */
export function requireLate(text) {
  const names = [...text.matchAll(REQUIRED)].map(([, name]) => name);
  const late = text
    .replace(REQUIRED, (_, name, load) => `let ${name}$; const ${name}$$ = () => (${name}$ ??= ${load});`)
    .replace(
      REQUIRED_FOR_EXPORT,
      (_, name, load) =>
        `{ let late; Object.defineProperty(exports, "${name}", {enumerable: true, get: () => (late ??= ${load})}); }`,
    );
  if (names.length === 0) return late;
  // In brackets, since `new a.b()` would take the call for its own.
  return late.replace(new RegExp(`\\b(?:${names.join('|')})\\b(?!\\$)`, 'g'), '($&$$$$())');
}
