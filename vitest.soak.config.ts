import {defineConfig} from 'vitest/config';

// Long, and one thing at a time: `npm run test:soak`.
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    pool: 'forks',
    maxWorkers: 1,
    retry: 0,
    testTimeout: 30 * 60_000,
    env: {TZ: 'UTC'},
  },
});
