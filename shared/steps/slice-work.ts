import { JobFault, messageOf } from '../domain/errors.ts';
import { FAILURES_IN_JOB, type Failure, type Reason } from '../domain/job.ts';
import type { InputFile, Manifest } from '../domain/plan.ts';
import { sameColumns, type KnownColumns, type LaneTallies, type OutputFile } from '../domain/receipts.ts';
import { FileFault, TimedOut } from '../scoring/engine.ts';
import { StorageFault, type Blobs } from '../storage/ports.ts';
import type { BlockWriter } from './block-writer.ts';
import type { JobLog } from './job-log.ts';

/** What a slice carries from one mini-batch to the next. */
export interface SliceWork {
  readonly manifest: Manifest;
  readonly input: Blobs;
  readonly scoring: Scoring;
  readonly output: BlockWriter;
  readonly errors: BlockWriter;
  readonly tallies: LaneTallies;
  /** All failures of the slice are staged; the first ones are kept here too. */
  readonly failures: Failure[];
  /** Files that a user's code wrote. */
  readonly files: OutputFile[];
  /** Of the rows so far, also of the slices before. */
  known: KnownColumns;
  readonly log: JobLog;
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
  /** The files of the mini-batch that comes after the one that is begun next. */
  expect(files: readonly InputFile[]): void;
  begin(work: SliceWork, files: readonly InputFile[]): Tries;
  /** Ends what is under way; nothing of it stays on this machine. */
  end(): Promise<void>;
}

/** The tries of one mini-batch. */
export interface Tries {
  /**
   * Scores these files of it. What it wrote and counted holds when it does not throw. Throws JobFault when the job cannot go
   * on, WorkFolderFault, StagingFault, and any other Error for a try that failed.
   */
  run(files: readonly InputFile[], attempt: number): Promise<void>;
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
  if (error instanceof StorageFault) return { code: 'ReadFailed', reason: error.message };
  return { code: 'ScoringFailed', reason: messageOf(error) };
}

/** Records a file as failed; `name` stands for it where nobody knows which file of several it was. */
export async function failFile(
  work: SliceWork,
  { name }: { readonly name: string },
  fault: Fault,
  attempts: number,
): Promise<void> {
  work.tallies.filesFailed++;
  await recordFailure(work, { file: name, ...fault, attempts });
}

const encoder = new TextEncoder();

/** One line of the errors file. */
export async function recordFailure(work: SliceWork, failure: Failure): Promise<void> {
  const { file, row, line, offset, code, reason, attempts } = failure;
  if (work.failures.length < FAILURES_IN_JOB) work.failures.push(failure);
  const text = JSON.stringify({ file, row, line, offset, code, reason, attempts });
  await work.errors.append(encoder.encode(`${text}\n`), 1);
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
  const files = work.files.length;
  const { known } = work;
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
      work.files.length = files;
      work.known = known;
    },
  };
}
