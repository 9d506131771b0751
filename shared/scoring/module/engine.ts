import { chown } from 'node:fs/promises';
import type { MiniBatchEngine } from '../engine.ts';
import { workerPool, type PoolLimits } from '../worker-pool.ts';
import type { ModuleCode } from './module-process.ts';
import { startModule, type ModuleWorker } from './module-worker.ts';

/**
 * An engine for a JavaScript or TypeScript scoring module, in a pool of processes. The first is started here, with `init()`. An
 * idle engine does not keep this process alive. Throws ModelFault when the module cannot be loaded.
 */
export async function moduleEngine(options: ModuleCode & PoolLimits): Promise<MiniBatchEngine> {
  const pool = await workerPool<ModuleWorker>(
    (index, starting, onStarted) => startModule(options, index, starting, onStarted),
    options,
  );
  return {
    kind: 'miniBatch',
    // Whoever asks for a path writes the file, and another user cannot.
    takesBytes: options.user === undefined,
    columns: null,
    async *score(miniBatch, run) {
      const { worker, release } = await pool.lease(run);
      const { user } = options;
      try {
        if (user) await chown(miniBatch.outputFolder, user.uid, user.gid);
        yield* worker.score(miniBatch, run);
      } finally {
        // What lies in it now is read, or the folder is used again: nothing may come into it any more.
        if (user) await chown(miniBatch.outputFolder, 0, 0);
        release();
      }
    },
    close: () => pool.close(),
  };
}
