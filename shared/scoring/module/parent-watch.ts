import { workerData } from 'node:worker_threads';
import { endOwnGroup } from './own-group.ts';

/**
 * A thread beside a user's module: when the app is gone, it ends the process even where the module loops for ever and hears of
 * nothing. `workerData` is the app's process id.
 */
const LOOK_EVERY_MS = 1000;

setInterval(() => {
  if (process.ppid !== workerData) endOwnGroup();
}, LOOK_EVERY_MS);
