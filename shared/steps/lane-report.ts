import { messageOf } from '../domain/errors.ts';
import type { LaneTallies } from '../domain/receipts.ts';
import type { JobDeps } from './deps.ts';

/** A slice that scores one long mini-batch says this often that it is alive; the sweeper's patience is several of these. */
export const BEAT_MS = 30_000;

/** What a slice tells about its lane. */
export interface SignsOfLife {
  /** Mini-batches up to `position` are scored, but no receipt names them yet. */
  scored(position: number, tallies: LaneTallies): Promise<void>;
  finished(position: number, tallies: LaneTallies, receipt: string): Promise<void>;
  /** No more signs by themselves. */
  end(): void;
}

/** Writes the progress row of a lane as its slice goes on, and in between as long as the slice lives. */
export function signsOfLife(
  deps: Pick<JobDeps, 'jobs' | 'clock' | 'log'>,
  job: string,
  start: { lane: number; position: number; tallies: LaneTallies; receipt: string | null },
): SignsOfLife {
  let position = start.position;
  let tallies = { ...start.tallies };
  let receipt = start.receipt === null ? undefined : { name: start.receipt, to: start.position };

  const report = async (): Promise<void> => {
    const now = new Date(deps.clock.now()).toISOString();
    await deps.jobs.report(job, {
      lane: start.lane,
      position,
      ...tallies,
      updatedAt: now,
      firstRowAt: tallies.rows > 0 ? now : null,
      ...(receipt === undefined ? {} : { receipt }),
    });
  };
  const beat = setInterval(() => {
    report().catch((error: unknown) =>
      deps.log.warn({ job, lane: start.lane, error: messageOf(error) }, 'no sign of life written'),
    );
  }, BEAT_MS);

  const at = (to: number, sum: LaneTallies): void => {
    position = to;
    tallies = { ...sum };
  };
  return {
    async scored(to, sum) {
      at(to, sum);
      await report();
    },
    async finished(to, sum, name) {
      at(to, sum);
      receipt = { name, to };
      await report();
    },
    end: () => clearInterval(beat),
  };
}
