import { messageOf } from '../domain/errors.ts';
import type { LaneProgress } from '../domain/job.ts';
import { BrokenChain, walkChain, type Receipt } from '../domain/receipts.ts';
import { laneOf } from '../domain/segments.ts';
import type { JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';

/** How far a lane's receipts prove that it has got. */
export interface Reached {
  /** The mini-batch after the last finished one. */
  readonly position: number;
  readonly receipt: string;
  readonly chain: readonly Receipt[];
}

/**
 * Walks back from the receipt that a lane's progress row names. It does not matter whose slices wrote the chain: every chain
 * of one plan holds the same mini-batches, once. Undefined when nothing is finished. Throws BrokenChain.
 */
export async function reachedBy(
  deps: Pick<JobDeps, 'files'>,
  { manifest, hash }: Plan,
  lane: number,
  progress: LaneProgress | undefined,
): Promise<Reached | undefined> {
  const cut = laneOf(manifest, lane);
  if (!progress?.receipt) return undefined;
  const { name, to } = progress.receipt;
  const expected = { job: manifest.job, plan: hash, lane, from: cut.from, end: to };
  const chain = await walkChain(expected, name, (receipt) => deps.files.receipt(manifest.job, receipt));
  return { position: to, receipt: name, chain };
}

/** Where a lane can go on; undefined when it has to begin, also because its receipts do not hold. */
export async function whereToGoOn(
  deps: Pick<JobDeps, 'files' | 'log'>,
  plan: Plan,
  lane: number,
  progress: LaneProgress | undefined,
): Promise<Reached | undefined> {
  try {
    return await reachedBy(deps, plan, lane, progress);
  } catch (error) {
    if (!(error instanceof BrokenChain)) throw error;
    deps.log.warn(
      { job: plan.manifest.job, lane, error: messageOf(error) },
      'lane begins anew: its receipts do not hold',
    );
    return undefined;
  }
}
