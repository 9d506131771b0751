import { FAILURES_IN_JOB, type Failure } from '../domain/job.ts';
import type { InputPiece } from '../domain/mini-batches.ts';
import { addRange, nothingSucceeded, outcomeOf, type RangeEnd } from '../domain/split-files.ts';
import { errorLine } from './errors-file.ts';
import type { Fault, SliceWork } from './slice-work.ts';

/** Counts a file, or a range of one, that was scored, whatever its records were. */
export async function endFile(
  work: SliceWork,
  file: InputPiece,
  scored: { readonly rows: number; readonly recordsFailed: number },
  attempts: number,
): Promise<void> {
  work.tallies.rows += scored.rows;
  work.tallies.recordsFailed += scored.recordsFailed;
  await endRange(work, file, { ...scored, failed: false, attempts });
}

/**
 * Records a file, or a range of one, as failed; `name` stands for it where nobody knows which file of several it was. A file of
 * which a range failed counts as one failed file, when all of it is known.
 */
export async function failFile(
  work: SliceWork,
  file: Pick<InputPiece, 'name' | 'piece'>,
  fault: Fault,
  attempts: number,
): Promise<void> {
  const { piece } = file;
  await recordFailure(work, { file: file.name, ...(piece ? rangeFault(piece.range, fault) : fault), attempts });
  await endRange(work, file, { rows: 0, recordsFailed: 0, failed: true, attempts });
}

/** Faults that say nothing of what is in the file. */
const OF_THE_RUN: readonly string[] = [
  'InputChanged',
  'ReadFailed',
  'Timeout',
  'OutOfMemory',
  'ScoringFailed',
  'ProcessDied',
];

/** What the first range finds wrong with the file reads as if it were scored as one; all else says which records are missing. */
function rangeFault(range: NonNullable<InputPiece['piece']>['range'], fault: Fault): Fault {
  const { row, records, from, line } = range;
  if (row === 0 && !OF_THE_RUN.includes(fault.code)) return fault;
  const last = row + records - 1;
  const which = records === 1 ? `Record ${row} was` : `Records ${row} to ${last} were`;
  const place = line === undefined ? {} : { line, offset: from };
  return { ...place, ...fault, reason: `${which} not scored. ${fault.reason}` };
}

async function endRange(work: SliceWork, file: Pick<InputPiece, 'name' | 'piece'>, end: RangeEnd): Promise<void> {
  const { piece } = file;
  if (!piece) return countFile(work, file.name, end);
  const { others, sum } = addRange(work.partial, piece, end);
  if (sum.ranges === piece.of) {
    work.partial = others;
    return countFile(work, file.name, sum);
  }
  const isLast = piece.index === piece.of - 1 && !piece.goesOn;
  const errorsEnd = isLast && outcomeOf(sum) === 'nothingSucceeded' ? await work.errors.cut() : undefined;
  work.partial = [...others, { ...sum, ...(errorsEnd !== undefined && { errorsEnd }) }];
}

async function countFile(work: SliceWork, name: string, end: RangeEnd): Promise<void> {
  const outcome = outcomeOf(end);
  if (outcome === 'done') work.tallies.filesDone++;
  else work.tallies.filesFailed++;
  if (outcome === 'nothingSucceeded') await recordFailure(work, nothingSucceeded(name, end));
}

/** One line of the errors file. */
export async function recordFailure(work: SliceWork, failure: Failure): Promise<void> {
  if (work.failures.length < FAILURES_IN_JOB) work.failures.push(failure);
  const { files, records } = work.codes.get(failure.code) ?? { files: 0, records: 0 };
  const isRecord = failure.row !== undefined;
  work.codes.set(failure.code, isRecord ? { files, records: records + 1 } : { files: files + 1, records });
  await work.errors.append(errorLine(failure), 1);
}
