/** The kinds of findings about a server, and their limits. */
import type {FindingKind} from './finding-kinds.js';

export const SERVER_FINDINGS = {} as const satisfies Record<string, FindingKind>;
