import {defineConfig} from 'vitest/config';

const UNIT = ['test/unit/**/*.test.ts', 'test/architecture.test.ts', 'test/language.test.ts'];

// Files run side by side, each with servers of its own; nothing is retried.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 5_000,
    env: {TZ: 'UTC'},
    projects: [
      // `npm run test:unit`. They start no server and need no build. A process for each of the many small
      // files would take twice as long as the tests: these share modules, and so leave nothing changed.
      {extends: true, test: {name: 'unit', include: UNIT, isolate: false}},
      {extends: true, test: {name: 'program', include: ['test/**/*.test.ts'], exclude: UNIT}},
    ],
  },
});
