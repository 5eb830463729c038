// Makes packages load what they require when they first use it, and not when
// they are loaded themselves: a one-shot command uses a tenth of oclif and half
// of ioredis. Only for CommonJS as TypeScript writes it, whose names for what is
// required (`path_1`) are its own and never assigned again.
import {readFileSync} from 'node:fs';

/** `const path_1 = require("path");`, `var help_1 = __importDefault(require("./help"));` */
const REQUIRED = /^(?:const|var) (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm;
/** `exports.Flags = __importStar(require("./flags"));` */
const REQUIRED_FOR_EXPORT = /^exports\.(\w+) = (__importStar\(require\("[^"]+"\)\));$/gm;

/** A plugin for Bun's bundler. */
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

/** The text of a module, changed as said above; the same where there is nothing to change. */
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
