import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,host,cli,e2e}/**/*.test.ts'],
    // Two cores: more files at once only make each other slow.
    maxWorkers: 2,
    globalSetup: ['./test/support/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
