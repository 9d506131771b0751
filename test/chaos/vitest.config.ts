import { defineConfig } from 'vitest/config';

/** One test at a time: each has a host, Azurite and proxies of its own. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/chaos/**/*.test.ts'],
    globalSetup: ['./test/support/build.ts'],
    fileParallelism: false,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 25_000 } },
  },
});
