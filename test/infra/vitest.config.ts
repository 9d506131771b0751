import { defineConfig } from 'vitest/config';

/** `npm run test:infra`: the templates, scripts and image of infra/, without Azure. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/infra/**/*.test.ts'],
    globalSetup: ['./test/infra/tools.ts'],
    maxWorkers: 2,
    // checkov alone takes half a minute on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
