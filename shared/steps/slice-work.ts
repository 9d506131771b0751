import { JobFault, messageOf } from '../domain/errors.ts';
import type { Failure, Reason } from '../domain/job.ts';
import type { InputPiece } from '../domain/mini-batches.ts';
import type { Manifest } from '../domain/plan.ts';
import { sameColumns, type KnownColumns, type LaneTallies, type OutputFile } from '../domain/receipts.ts';
import type { PartialFile } from '../domain/split-files.ts';
import { FileFault, OutOfMemory, TimedOut } from '../scoring/engine.ts';
import { StorageFault, type Blobs } from '../storage/ports.ts';
import type { BlockWriter } from './block-writer.ts';
import type { JobLog } from './job-log.ts';
import type { TryBounds } from './try-timer.ts';

/** What a slice carries from one mini-batch to the next. */
export interface SliceWork {
  readonly manifest: Manifest;
  readonly input: Blobs;
  readonly scoring: Scoring;
  readonly output: BlockWriter;
  readonly errors: BlockWriter;
  readonly tallies: LaneTallies;
  /** Of files that are cut, and of which this lane does not know everything yet. */
  partial: readonly PartialFile[];
  /** All failures of the slice are staged; the first ones are kept here too. */
  readonly failures: Failure[];
  /** How many of them there are of each code. */
  readonly codes: Map<string, FailureCount>;
  /** Files that a user's code wrote. */
  readonly files: OutputFile[];
  /** Of the rows so far, also of the slices before. */
  known: KnownColumns;
  readonly log: JobLog;
  /** Aborts with JobStopped when the job is to stop. */
  readonly stopped: AbortSignal;
  readonly bounds: TryBounds;
}

/** Failures of one code: of files or ranges of them, and of records. */
export interface FailureCount {
  readonly files: number;
  readonly records: number;
}

/** The job is told to stop while a mini-batch runs. */
export class JobStopped extends JobFault {
  constructor({ code, message }: Reason) {
    super(code, message);
    this.name = 'JobStopped';
  }
}

/** How a slice scores: file after file, or a user's code over local copies. */
export interface Scoring {
  /** Whether rows begin with the columns `file` and `row`. */
  readonly rowColumns: boolean;
  /** Whether it scores a range of a file by itself. */
  readonly takesRanges: boolean;
  /** The mini-batches that come after the one that is begun next, in order. */
  expect(miniBatches: MiniBatchesToCome): void;
  begin(work: SliceWork, files: readonly InputPiece[]): Tries;
  /** Ends what is under way; nothing of it stays on this machine. */
  end(): Promise<void>;
}

/** The files of each of them; none is looked for before somebody iterates so far. Can be iterated again. */
export type MiniBatchesToCome = Iterable<readonly InputPiece[]>;

/** The tries of one mini-batch. */
export interface Tries {
  /**
   * Scores these files of it. What it wrote and counted holds when it does not throw. Throws JobFault when the job cannot go
   * on, WorkFolderFault, StagingFault, and any other Error for a try that failed.
   */
  run(files: readonly InputPiece[], attempt: number): Promise<void>;
  end(): Promise<void>;
}

export type Fault = Pick<Failure, 'code' | 'reason' | 'line' | 'offset'>;

export const DELETED = 'The file was deleted after the job had been planned.';

/** The fault of a file that no retry would mend. */
export function ownFault(error: unknown): Fault | undefined {
  if (error instanceof FileFault)
    return {
      code: error.code,
      reason: error.message,
      ...(error.line === undefined ? {} : { line: error.line }),
      ...(error.offset === undefined ? {} : { offset: error.offset }),
    };
  if (error instanceof StorageFault && error.status === 412)
    return { code: 'InputChanged', reason: 'The file was changed after the job had been planned.' };
  return undefined;
}

/** What a file's failure says when its mini-batch failed for another reason. */
export function faultOf(error: unknown): Fault {
  if (error instanceof TimedOut) return { code: 'Timeout', reason: error.message };
  if (error instanceof OutOfMemory) return { code: 'OutOfMemory', reason: error.message };
  if (error instanceof StorageFault) return { code: 'ReadFailed', reason: error.message };
  return { code: 'ScoringFailed', reason: messageOf(error) };
}

/** Notes the columns of some rows. Throws JobFault when others were found before. */
export function noteColumns(work: SliceWork, columns: readonly string[], columnsOf: string): void {
  const found = { columns, columnsOf };
  sameColumns(work.known, found);
  if (work.known.columns === null) work.known = found;
}

/** Where everything that a slice gathers stands, to go back to. */
export function checkpoint(work: SliceWork): { keep(): void; rollback(): void } {
  const output = work.output.mark();
  const errors = work.errors.mark();
  const tallies = { ...work.tallies };
  const failures = work.failures.length;
  const codes = [...work.codes];
  const files = work.files.length;
  const { known, partial } = work;
  return {
    keep() {
      work.errors.keep(errors);
      work.output.keep(output);
    },
    rollback() {
      work.errors.rollback(errors);
      work.output.rollback(output);
      Object.assign(work.tallies, tallies);
      work.failures.length = failures;
      work.codes.clear();
      for (const [code, times] of codes) work.codes.set(code, times);
      work.files.length = files;
      work.known = known;
      work.partial = partial;
    },
  };
}
