import { messageOf } from '../domain/errors.ts';
import { keepNewest } from '../domain/keep-newest.ts';
import type { Crowd } from '../storage/registry/jobs-port.ts';
import type { JobDeps } from './deps.ts';

/** How often a process looks how full the app is, for all its slices together. */
const LOOK_EVERY_MS = 2000;

/** A slice makes about ten requests of its own, for its mark, receipt, progress and log: in shorter ones they would be felt. */
const SHORTEST_MS = 1000;

/** Jobs of which is known how long their mini-batches take. */
const JOBS = 100;

type Timed = Pick<JobDeps, 'jobs' | 'clock' | 'log' | 'slots' | 'sliceMs'>;

/** How long the slices of this process may take. */
export interface SliceTime {
  /** Milliseconds of a slice, whenever it began, as full as the app is now. */
  now(deps: Timed): Promise<number>;
  /** Notes how long a mini-batch of a job took. */
  scored(job: string, ms: number): void;
  /**
   * How many mini-batches of a job are begun in so many milliseconds, the one that ends later too, if they take as long as the one that
   * ended last in this process; without end when none did.
   */
  miniBatchesIn(job: string, ms: number): number;
}

/**
 * Slices shrink while more lanes are open than there are slots, in proportion, so that each lane has its turn within the time of one
 * whole slice however many there are, until slices get so short that their own cost counts.
 */
export function sliceTime(): SliceTime {
  let known: Crowd = { lanes: 0, instances: 1 };
  let lookAgainAt = -Infinity;
  const lastMs = new Map<string, number>();

  async function look({ jobs, clock, log }: Timed): Promise<void> {
    lookAgainAt = clock.now() + LOOK_EVERY_MS;
    try {
      known = await jobs.crowd(clock.now());
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot look how full the app is');
    }
  }

  return {
    async now(deps) {
      if (deps.clock.now() >= lookAgainAt) await look(deps);
      const slots = deps.slots * known.instances;
      if (known.lanes <= slots) return deps.sliceMs;
      return Math.min(deps.sliceMs, Math.max(SHORTEST_MS, (deps.sliceMs * slots) / known.lanes));
    },
    scored(job, ms) {
      keepNewest(lastMs, job, ms, JOBS);
    },
    miniBatchesIn: (job, ms) => (ms <= 0 ? 0 : Math.ceil(ms / (lastMs.get(job) ?? 0))),
  };
}
