import { defineConfig } from 'vitest/config';

/** `npm run test:fuzz`: FUZZ_SEED repeats a run, FUZZ_REQUESTS says how many requests the generated sequences make. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/fuzz/**/*.test.ts'],
    globalSetup: ['./test/support/build.ts'],
    // Both at once, on two cores: schemathesis waits most of its time.
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
