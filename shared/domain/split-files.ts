import { z } from 'zod';
import type { Failure } from './job.ts';
import type { InputPiece } from './mini-batches.ts';
import type { InputFile } from './plan.ts';

/** What a lane has scored of a file that is cut, as long as not all of its ranges are known. */
export const PartialFile = z.object({
  /** Place of the file in the manifest. */
  file: z.number(),
  /** How many of its ranges have ended. */
  ranges: z.number(),
  rows: z.number(),
  recordsFailed: z.number(),
  /** A range of it could not be scored. */
  failed: z.boolean(),
  /** Tries of the range that ended last. */
  attempts: z.number(),
  /** The block with the file's last errors, of a file that ends here, began in another lane and has no row in this one. */
  errorsEnd: z.string().optional(),
});
export type PartialFile = z.infer<typeof PartialFile>;

/** The end of one range. */
export type RangeEnd = Pick<PartialFile, 'rows' | 'recordsFailed' | 'failed' | 'attempts'>;

/** Adds the end of a range to what is known of its file. */
export function addRange(
  known: readonly PartialFile[],
  { file, goesOn }: NonNullable<InputPiece['piece']>,
  end: RangeEnd,
): { readonly others: readonly PartialFile[]; readonly sum: PartialFile } {
  const others = known.filter((one) => one.file !== file);
  const before = known.find((one) => one.file === file);
  return { others, sum: joined(before ? [before] : [], { file, ranges: goesOn ? 0 : 1, ...end }) };
}

const joined = (before: readonly PartialFile[], last: PartialFile): PartialFile =>
  before.reduce(
    (sum, one) => ({
      ...sum,
      ranges: sum.ranges + one.ranges,
      rows: sum.rows + one.rows,
      recordsFailed: sum.recordsFailed + one.recordsFailed,
      failed: sum.failed || one.failed,
    }),
    last,
  );

/** How a file ended, of which everything is known. */
export function outcomeOf({ rows, recordsFailed, failed }: RangeEnd): 'done' | 'failed' | 'nothingSucceeded' {
  if (failed) return 'failed';
  return rows === 0 && recordsFailed > 0 ? 'nothingSucceeded' : 'done';
}

/** The failure of a file with no good record. */
export const nothingSucceeded = (file: string, { recordsFailed, attempts }: RangeEnd): Failure => ({
  file,
  code: 'NoRecordSucceeded',
  reason: `${recordsFailed === 1 ? 'Its only record' : `All its ${recordsFailed} records`} failed.`,
  attempts,
});

/** What the ends of all lanes say of the files that several of them scored. */
export interface SettledFiles {
  readonly done: number;
  readonly failed: number;
  /** Failures that no lane could know, each with the block of errors that it comes after. */
  readonly late: readonly { readonly failure: Failure; readonly after: string }[];
}

/** Files of which no lane knows everything, of lanes in order. Those with ranges that are not scored count as neither. */
export function settleFiles(files: readonly InputFile[], lanes: readonly (readonly PartialFile[])[]): SettledFiles {
  const sums = new Map<number, PartialFile>();
  for (const partial of lanes.flat()) {
    const before = sums.get(partial.file);
    sums.set(partial.file, joined(before ? [before] : [], partial));
  }
  let done = 0;
  let failed = 0;
  const late: { failure: Failure; after: string }[] = [];
  for (const sum of sums.values()) {
    const file = files[sum.file];
    if (!file || sum.ranges !== file.split?.ranges.length) continue;
    const outcome = outcomeOf(sum);
    if (outcome === 'done') done++;
    else failed++;
    if (outcome !== 'nothingSucceeded') continue;
    if (sum.errorsEnd === undefined) throw new Error(`nobody knows where the errors of ${file.name} end`);
    late.push({ failure: nothingSucceeded(file.name, sum), after: sum.errorsEnd });
  }
  return { done, failed, late };
}
