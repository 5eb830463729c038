/** What is looked at of a server. Invariant: a check sends only commands that read, and says what the user may not ask. */
import type {ServerFacts} from '../observe/snapshot.js';
import type {Check} from './examination.js';

export const SERVER_CHECKS: readonly Check<ServerFacts>[] = [];
