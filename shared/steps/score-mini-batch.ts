import { JobFault, messageOf } from '../domain/errors.ts';
import { filesOf, type InputPiece } from '../domain/mini-batches.ts';
import { isBusy } from '../storage/busy-gate.ts';
import { noteEvent } from '../telemetry/spans.ts';
import { StagingFault } from './block-writer.ts';
import { failFile } from './file-outcomes.ts';
import { checkpoint, faultOf, type SliceWork, type Tries } from './slice-work.ts';
import { WorkFolderFault } from './work-folder.ts';

/**
 * Scores one mini-batch: up to `maxRetries` tries of all its files, each really stopped at the timeout. One that keeps failing
 * is taken apart, so that only the bad files, or ranges of files, fail. Throws StagingFault, WorkFolderFault,
 * JobFault, and the StorageFault of storage that stayed too busy, alone.
 */
export function scoreMiniBatch(work: SliceWork, miniBatch: number): Promise<void> {
  return scoreTogether(work, filesOf(work.manifest, miniBatch), miniBatch);
}

/** Some files of a mini-batch as if they were all of it. Throws as above. */
export async function scoreTogether(work: SliceWork, files: readonly InputPiece[], miniBatch: number): Promise<void> {
  const { maxRetries } = work.manifest.settings;
  const tries = work.scoring.begin(work, files);
  try {
    let fault: unknown;
    for (let attempt = 1; attempt <= maxRetries; attempt++) {
      fault = await tryFiles(work, tries, files, attempt);
      if (fault === undefined) return;
      work.log.warn({ miniBatch, attempt, error: messageOf(fault) }, 'mini-batch failed');
      noteEvent('try failed', { 'batchpoint.attempt': attempt, 'error.type': faultOf(fault).code });
    }
    for (const file of files) {
      const alone = files.length === 1 ? fault : await tryFiles(work, tries, [file], maxRetries + 1);
      if (alone !== undefined)
        await failFile(work, file, faultOf(alone), files.length === 1 ? maxRetries : maxRetries + 1);
    }
  } finally {
    await tries.end();
  }
}

/** One try; everything that it wrote and counted is undone when it fails. Answers what failed. */
async function tryFiles(
  work: SliceWork,
  tries: Tries,
  files: readonly InputPiece[],
  attempt: number,
): Promise<unknown> {
  const undo = checkpoint(work);
  try {
    await tries.run(files, attempt);
    undo.keep();
    return undefined;
  } catch (error) {
    // The slice's fault, which is tried again as a whole: what it staged is named by nobody.
    if (error instanceof StagingFault || error instanceof WorkFolderFault || isBusy(error)) throw error;
    undo.rollback();
    if (error instanceof JobFault) throw error;
    return error ?? new Error('failed without a reason');
  }
}
