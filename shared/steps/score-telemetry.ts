import type { JobFault } from '../domain/errors.ts';
import { filesOf, type InputPiece } from '../domain/mini-batches.ts';
import type { LaneTallies, Receipt } from '../domain/receipts.ts';
import { count, took } from '../telemetry/metrics.ts';
import { inSpan, note, noteFailure } from '../telemetry/spans.ts';
import type { SliceWork } from './slice-work.ts';

/** Scores a mini-batch as one span, however many files and rows it has. One of which a file, or a range of one, fails has failed. */
export async function inMiniBatchSpan(
  work: SliceWork,
  miniBatch: number,
  score: () => Promise<JobFault | undefined>,
): Promise<JobFault | undefined> {
  const before = { ...work.tallies };
  const codesBefore = new Map(work.codes);
  const begun = performance.now();
  const attributes = {
    'batchpoint.mini_batch': miniBatch,
    'batchpoint.files': filesOf(work.manifest, miniBatch).length,
  };
  const fault = await inSpan('mini-batch', { attributes }, async () => {
    const found = await score();
    note({
      'batchpoint.rows': work.tallies.rows - before.rows,
      'batchpoint.files_failed': work.tallies.filesFailed - before.filesFailed,
      'batchpoint.records_failed': work.tallies.recordsFailed - before.recordsFailed,
    });
    const codes = [...work.codes].filter(([code, { files }]) => files > (codesBefore.get(code)?.files ?? 0));
    if (found) noteFailure(found.code);
    else if (codes.length > 0) noteFailure(codes.map(([code]) => code).join(', '));
    return found;
  });
  took('batchpoint.mini_batch.duration', performance.now() - begun);
  return fault;
}

/** Counts what a slice has finished, once its receipt is written. */
export function countSlice(work: SliceWork, before: LaneTallies, { from, to, output, tallies }: Receipt): void {
  count('batchpoint.mini_batches', to - from);
  count('batchpoint.files', tallies.filesDone - before.filesDone, { 'batchpoint.outcome': 'done' });
  count('batchpoint.files', tallies.filesFailed - before.filesFailed, { 'batchpoint.outcome': 'failed' });
  count('batchpoint.rows', tallies.rows - before.rows);
  for (const [code, { files, records }] of work.codes)
    count('batchpoint.failures', files + records, { 'error.type': code });
  let input = 0;
  for (let miniBatch = from; miniBatch < to; miniBatch++) input += bytesOf(filesOf(work.manifest, miniBatch));
  count('batchpoint.input', input);
  count(
    'batchpoint.output',
    output.reduce((sum, { bytes }) => sum + bytes, 0),
  );
}

const bytesOf = (pieces: readonly InputPiece[]): number =>
  pieces.reduce((sum, { length, piece }) => sum + (piece ? piece.range.to - piece.range.from : length), 0);
