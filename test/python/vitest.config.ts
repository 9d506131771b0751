import { execFileSync } from 'node:child_process';
import { defineConfig } from 'vitest/config';

/** Why there is nothing to test with; undefined when there is a Python. */
function lacking(): string | undefined {
  const python = process.env['PYTHON'] ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import venv'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `there is no Python with venv: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const reason = lacking();
if (reason !== undefined) {
  if (process.env['REQUIRE_PYTHON'] === '1') throw new Error(`REQUIRE_PYTHON is set, but ${reason}`);
  console.log(`The tests of Python are skipped: ${reason}`);
}

/** Real interpreters and packages. One file at a time: each has processes of its own. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: reason === undefined ? ['test/python/**/*.test.ts'] : [],
    passWithNoTests: reason !== undefined,
    globalSetup: reason === undefined ? ['./test/support/build.ts', './test/python/environment.ts'] : [],
    fileParallelism: false,
    // Importing mlflow takes a minute on a busy machine.
    testTimeout: 300_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 25_000 } },
  },
});
