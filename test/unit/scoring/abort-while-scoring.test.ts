import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/**
 * ONNX Runtime ends the whole process when its thread is terminated in the middle of a run, so this runs in a process of its
 * own: twenty files are aborted while two threads score their rows, and the twenty-first is scored whole.
 */
it('aborts many files in the middle of scoring and goes on', { timeout: 60_000 }, async () => {
  const child = fork(fileURLToPath(new URL('./aborting-process.ts', import.meta.url)), {
    execPath: fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url)),
    execArgv: [],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
  const answers: unknown[] = [];
  child.on('message', (message) => answers.push(message));
  const exit: unknown = (await once(child, 'exit'))[0];
  expect(errors).toBe('');
  expect(exit).toBe(0);
  expect(answers).toEqual([{ aborted: 20, rows: 20_000 }]);
});
