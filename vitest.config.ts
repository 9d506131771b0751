import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,host,cli,e2e}/**/*.test.ts'],
    // Two cores: more files at once only make each other slow.
    maxWorkers: 2,
    globalSetup: ['./test/support/build.ts'],
    // Generous: on a busy machine everything takes ten times as long, and nothing waits that passes.
    testTimeout: 90_000,
    expect: { poll: { timeout: 25_000 } },
    hookTimeout: 60_000,
  },
});
