import {defineConfig} from 'vitest/config';

// Files run side by side, each with servers of its own; nothing is retried.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 5_000,
    env: {TZ: 'UTC'},
  },
});
