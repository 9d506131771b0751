import { messageOf } from '../domain/errors.ts';
import type { Reason } from '../domain/job.ts';
import type { Log } from './ports.ts';
import { JobStopped } from './slice-work.ts';

/** How often a slice looks, beside what it does, whether the job is to stop: a mini-batch may take hours. */
export const LOOK_MS = 5000;

/** A signal that aborts with JobStopped once `stopped` answers why the job is to stop. */
export function watchStop(log: Pick<Log, 'warn'>, stopped: () => Promise<Reason | undefined>) {
  const over = new AbortController();
  const timer = setInterval(() => {
    stopped().then(
      (reason) => reason && over.abort(new JobStopped(reason)),
      (error: unknown) => log.warn({ error: messageOf(error) }, 'cannot look whether the job is to stop'),
    );
  }, LOOK_MS);
  return { signal: over.signal, end: () => clearInterval(timer) };
}
