import { JobFault, messageOf } from '../domain/errors.ts';
import { filesOf, type InputPiece } from '../domain/mini-batches.ts';
import { isBusy } from '../storage/busy-gate.ts';
import { noteEvent } from '../telemetry/spans.ts';
import { StagingFault } from './block-writer.ts';
import { failFile } from './file-outcomes.ts';
import { halvesOf, isTooMuch } from './halve-pieces.ts';
import { checkpoint, faultOf, type SliceWork, type Tries } from './slice-work.ts';
import { WorkFolderFault } from './work-folder.ts';

/**
 * Scores one mini-batch: up to `maxRetries` tries of all its files, each really stopped at the timeout. One that took too long, or
 * too much memory, is halved before it is tried again. One that keeps failing is taken apart, so that only the bad files, or ranges
 * of files, fail. Throws StagingFault, WorkFolderFault, JobFault, and the StorageFault of storage that stayed too busy, alone.
 */
export function scoreMiniBatch(work: SliceWork, miniBatch: number): Promise<void> {
  return scoreTogether(work, filesOf(work.manifest, miniBatch), miniBatch);
}

/** Some files of a mini-batch as if they were all of it. Throws as above. */
export async function scoreTogether(work: SliceWork, files: readonly InputPiece[], miniBatch: number): Promise<void> {
  const tries = work.scoring.begin(work, files);
  try {
    await scoreFrom(work, tries, files, { miniBatch, attempt: 1 });
  } finally {
    await tries.end();
  }
}

/** The tries of some files from this one on. */
async function scoreFrom(
  work: SliceWork,
  tries: Tries,
  files: readonly InputPiece[],
  { miniBatch, attempt }: { readonly miniBatch: number; readonly attempt: number },
): Promise<void> {
  const fault = await tryFiles(work, tries, files, attempt);
  if (fault === undefined) return;
  work.log.warn({ miniBatch, attempt, error: messageOf(fault) }, 'mini-batch failed');
  noteEvent('try failed', { 'batchpoint.attempt': attempt, 'error.type': faultOf(fault).code });
  if (attempt >= work.manifest.settings.maxRetries) return takeApart(work, tries, files, { fault, attempt });
  const halves = isTooMuch(fault) ? await halvesOf(work, files) : undefined;
  for (const part of halves ?? [files]) await scoreFrom(work, tries, part, { miniBatch, attempt: attempt + 1 });
}

/** Each file alone, once more; where there is only one, `fault` was its last. */
async function takeApart(
  work: SliceWork,
  tries: Tries,
  files: readonly InputPiece[],
  last: { readonly fault: unknown; readonly attempt: number },
): Promise<void> {
  const attempt = files.length === 1 ? last.attempt : last.attempt + 1;
  for (const file of files) {
    const fault = files.length === 1 ? last.fault : await tryFiles(work, tries, [file], attempt);
    if (fault !== undefined) await failFile(work, file, faultOf(fault), attempt);
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
