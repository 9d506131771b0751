import { filesOf } from '../domain/mini-batches.ts';
import type { JobDeps } from './deps.ts';
import { failFile } from './file-outcomes.ts';
import { scoreTogether } from './score-mini-batch.ts';
import type { LoadedRange } from './open-slice.ts';
import { scoreRange } from './score-range.ts';
import type { SliceAnswer } from './score-slice.ts';
import type { SliceWork } from './slice-work.ts';
import { filePart, miniBatchPart, whileStarted } from './started-marks.ts';

/** Starts without an end after which a mini-batch is taken apart: in a slice among others, and alone. */
const STARTS_TOGETHER = 2;

/**
 * Scores a range in which a process died: one mini-batch at a time, each with its own mark and receipt, so that the next death
 * tells which one it was. A mini-batch that was started often enough is taken apart, file by file, each with its own mark; the
 * file that was started so and never ended is recorded as failed. Must run alone in its process: then a death is nobody
 * else's.
 */
export async function scoreSuspects(deps: JobDeps, range: LoadedRange): Promise<SliceAnswer> {
  const { job } = range.plan.manifest;
  const startedAt = deps.clock.now();
  let { from, receipt } = range;
  for (;;) {
    const part = miniBatchPart(range.lane, from);
    const starts = await deps.jobs.markRestart(job, part);
    const apart = starts > STARTS_TOGETHER;
    deps.log.warn({ job, lane: range.lane, miniBatch: from, starts, apart }, 'scoring a suspect mini-batch alone');
    const answer = await whileStarted(deps, job, part, () =>
      scoreRange(
        deps,
        { ...range, from, to: from + 1, receipt },
        apart ? (work, miniBatch) => scoreApart(deps, work, range.lane, miniBatch, starts - 1) : undefined,
      ),
    );
    const done = answer.position === range.to;
    // After a culprit the lane starts counting anew: its activity has only so many attempts.
    const over = deps.clock.now() - startedAt >= (await deps.sliceTime.now(deps));
    if (!answer.ok || done || apart || over) return { ...answer, done };
    ({ position: from, receipt } = answer);
  }
}

/** One file after the other; one whose start is marked already has killed its process. */
async function scoreApart(
  deps: JobDeps,
  work: SliceWork,
  lane: number,
  miniBatch: number,
  deaths: number,
): Promise<void> {
  const { job } = work.manifest;
  for (const [index, file] of filesOf(work.manifest, miniBatch).entries()) {
    const part = filePart(lane, miniBatch, index);
    if (await deps.jobs.markStart(job, part)) {
      await whileStarted(deps, job, part, () => scoreTogether(work, [file], miniBatch));
      await deps.jobs.unmark(job, part);
    } else {
      const what = file.piece ? 'these records' : 'this file';
      const reason = `The process ended while it scored ${what} alone; its mini-batch was started ${deaths} times without an end.`;
      await failFile(work, file, { code: 'ProcessDied', reason }, deaths);
    }
  }
}
