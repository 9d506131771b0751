import { messageOf } from '../domain/errors.ts';
import type { Crowd } from '../storage/registry/jobs-port.ts';
import type { JobDeps } from './deps.ts';

/** How often a process looks how full the app is, for all its slices together. */
const LOOK_EVERY_MS = 2000;

/** A slice makes about ten requests of its own, for its mark, receipt, progress and log: in shorter ones they would be felt. */
const SHORTEST_MS = 1000;

type Timed = Pick<JobDeps, 'jobs' | 'clock' | 'log' | 'slots' | 'sliceMs'>;

/** How long the slices of this process may take. */
export interface SliceTime {
  /** Milliseconds of a slice, whenever it began, as full as the app is now. */
  now(deps: Timed): Promise<number>;
}

/**
 * Slices shrink while more lanes are open than there are slots, in proportion, so that each lane has its turn within the time of one
 * whole slice however many there are, until slices get so short that their own cost counts.
 */
export function sliceTime(): SliceTime {
  let known: Crowd = { lanes: 0, instances: 1 };
  let lookAgainAt = -Infinity;

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
  };
}
