import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:e2e`: the end-to-end tests alone, against the app that the environment names or their own. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['./test/support/announce-app.ts'],
    // A running app is one for all of them.
    fileParallelism: false,
  },
});
