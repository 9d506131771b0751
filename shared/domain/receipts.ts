import { z } from 'zod';
import { StagedBlock } from './blocks.ts';
import { JobFault } from './errors.ts';
import { Failure, FAILURES_IN_JOB } from './job.ts';
import { PartialFile, settleFiles, type SettledFiles } from './split-files.ts';
import type { InputFile } from './plan.ts';

/** What a lane has done up to a receipt. */
export const LaneTallies = z.object({
  filesDone: z.number(),
  filesFailed: z.number(),
  rows: z.number(),
  recordsFailed: z.number(),
});
export type LaneTallies = z.infer<typeof LaneTallies>;

export const NO_TALLIES: LaneTallies = { filesDone: 0, filesFailed: 0, rows: 0, recordsFailed: 0 };

/** A file that a user's code wrote, staged under its final name. */
export const OutputFile = z.object({
  /** Below the folder of the job's output. */
  path: z.string(),
  /** The input files of the mini-batch that wrote it, as `filesLabel` names them. */
  of: z.string(),
  blocks: z.array(StagedBlock),
});
export type OutputFile = z.infer<typeof OutputFile>;

/** How several input files are named where nobody can know which of them it was. */
export function filesLabel(files: readonly { readonly name: string }[]): string {
  const [first, last] = [files[0]?.name ?? '', files.at(-1)?.name ?? ''];
  return files.length > 1 ? `${first} … ${last}` : first;
}

/**
 * One finished slice: mini-batches [from, to) of a lane, and the staged blocks that hold their rows. Written once, at the
 * slice's end; only what a chain of receipts names ever becomes part of an output.
 */
export const Receipt = z.object({
  job: z.string(),
  lane: z.number(),
  /** sha256 of the manifest: a receipt of another plan never links. */
  plan: z.string(),
  from: z.number(),
  to: z.number(),
  attempt: z.string(),
  /** Name of the receipt that this one goes on from; null for a lane's first. */
  previous: z.string().nullable(),
  output: z.array(StagedBlock),
  errors: z.array(StagedBlock),
  /** Prediction columns; null while nothing was scored. */
  columns: z.array(z.string()).nullable(),
  /** The input whose results had these columns; absent when the engine knows them. */
  columnsOf: z.string().optional(),
  /** False: the rows are a user's code's, without the columns `file` and `row`. */
  rowColumns: z.boolean().optional(),
  /** The lane's tallies up to here. Nobody else adds: an orchestrator may have heard a ghost slice (B2). */
  tallies: LaneTallies,
  /** Of the lane up to here: files that are cut, of which it has not scored all ranges. Absent when there are none. */
  partial: z.array(PartialFile).optional(),
  /** The slice's first failures, in order. */
  failures: z.array(Failure).max(FAILURES_IN_JOB),
  /** Bytes that the lane's code has printed up to here: a job's log has a limit. */
  printed: z.number().optional(),
  /** Of this slice; absent when there are none. */
  files: z.array(OutputFile).optional(),
});
export type Receipt = z.infer<typeof Receipt>;

/** The receipt's name carries the attempt: the copies of a redelivered slice each write their own (B3). */
export const receiptName = (receipt: Pick<Receipt, 'lane' | 'from' | 'attempt'>): string =>
  `lane-${String(receipt.lane).padStart(5, '0')}/${String(receipt.from).padStart(9, '0')}-${receipt.attempt}`;

/** Receipts that do not account for their lane. The job fails: no output is better than a wrong one. */
export class BrokenChain extends Error {
  constructor(lane: number, reason: string) {
    super(`lane ${lane}: ${reason}`);
    this.name = 'BrokenChain';
  }
}

/**
 * Walks back from a lane's last receipt to its first mini-batch and answers the receipts in order. Refuses a gap, an overlap,
 * a foreign lane, job or plan, and tallies that the blocks do not bear out.
 *
 * @param end The mini-batch that the last receipt must reach; omit it for a lane that was stopped on its way.
 */
export async function walkChain(
  expected: { job: string; plan: string; lane: number; from: number; end?: number },
  last: string,
  read: (name: string) => Promise<Receipt | undefined>,
): Promise<Receipt[]> {
  const fault = (reason: string): BrokenChain => new BrokenChain(expected.lane, reason);
  const chain: Receipt[] = [];
  let position = expected.end;
  for (let name: string | null = last; name !== null;) {
    const receipt: Receipt | undefined = await read(name);
    if (!receipt) throw fault(`receipt ${name} is gone`);
    if (receipt.job !== expected.job || receipt.lane !== expected.lane)
      throw fault(`receipt ${name} belongs to another lane`);
    if (receipt.plan !== expected.plan) throw fault(`receipt ${name} was written for another plan`);
    if (position !== undefined && receipt.to !== position)
      throw fault(`mini-batches ${receipt.to} to ${position} are ${receipt.to < position ? 'missing' : 'there twice'}`);
    if (receipt.from >= receipt.to) throw fault(`receipt ${name} covers nothing`);
    chain.push(receipt);
    position = receipt.from;
    name = receipt.previous;
  }
  if (position !== expected.from) throw fault(`mini-batches from ${expected.from} are missing`);
  chain.reverse();
  const staged = chain.reduce((rows, receipt) => rows + receipt.output.reduce((sum, block) => sum + block.rows, 0), 0);
  const told = chain.at(-1)?.tallies.rows;
  if (staged !== told) throw fault(`its blocks hold ${staged} rows, its last receipt says ${told}`);
  return chain;
}

const added = (ones: LaneTallies, others: LaneTallies): LaneTallies => ({
  filesDone: ones.filesDone + others.filesDone,
  filesFailed: ones.filesFailed + others.filesFailed,
  rows: ones.rows + others.rows,
  recordsFailed: ones.recordsFailed + others.recordsFailed,
});

/** The columns of some results, and the input that they came from. */
export interface KnownColumns {
  /** Null while no row is known. */
  readonly columns: readonly string[] | null;
  /** Absent when the engine itself knows the columns. */
  readonly columnsOf?: string | undefined;
}

/** Throws JobFault when two results have other columns than each other: rows of both would not make one table. */
export function sameColumns(known: KnownColumns, found: KnownColumns): void {
  const [ones, others] = [known.columns, found.columns];
  if (ones === null || others === null || ones === others) return;
  if (ones.length === others.length && ones.every((name, index) => name === others[index])) return;
  throw new JobFault(
    'ColumnsDiffer',
    `The results differ in their columns: ${columnsText(known)}, ${columnsText(found)}. Name those to write in the deployment's property batchpoint.outputColumns.`,
  );
}

const COLUMNS_TOLD = 30;

function columnsText({ columns, columnsOf = 'the model' }: KnownColumns): string {
  const names = columns ?? [];
  const more = names.length > COLUMNS_TOLD ? `, and ${names.length - COLUMNS_TOLD} more` : '';
  return `${columnsOf} has (${names.slice(0, COLUMNS_TOLD).join(', ')}${more})`;
}

/** Notes who wrote a file. Throws JobFault when another mini-batch has written it too. */
export function noteWriter(writers: Map<string, string>, { path, of }: Pick<OutputFile, 'path' | 'of'>): void {
  const other = writers.get(path);
  if (other !== undefined)
    throw new JobFault(
      'OutputFileClash',
      `Two mini-batches wrote the file ${path}: that of ${other} and that of ${of}. Give each file a name of its own, for example its input's.`,
    );
  writers.set(path, of);
}

/** What the fan-in makes of the chains of some lanes, in lane order. */
export interface Linked extends KnownColumns {
  readonly output: readonly StagedBlock[];
  readonly errors: readonly StagedBlock[];
  readonly tallies: LaneTallies;
  /** Whether rows begin with the columns `file` and `row`. */
  readonly rowColumns: boolean;
  readonly files: readonly OutputFile[];
  readonly failures: readonly Failure[];
  /** Failures that are in no block yet, each with the block of errors that it comes after. */
  readonly late: SettledFiles['late'];
}

/**
 * Joins the chains of one segment of a plan, over its files. Throws JobFault when the lanes disagree on the columns, or wrote one file twice.
 */
export function link(chains: readonly (readonly Receipt[])[], inputs: readonly InputFile[]): Linked {
  const receipts = chains.flat();
  let known: KnownColumns = { columns: null };
  for (const receipt of receipts) {
    sameColumns(known, receipt);
    if (known.columns === null) known = receipt;
  }
  const files = receipts.flatMap((receipt) => receipt.files ?? []);
  const writers = new Map<string, string>();
  for (const file of files) noteWriter(writers, file);
  const tallies = chains.reduce((sum, chain) => added(sum, chain.at(-1)?.tallies ?? NO_TALLIES), NO_TALLIES);
  const settled = settleFiles(
    inputs,
    chains.map((chain) => chain.at(-1)?.partial ?? []),
  );
  const failures = receipts.flatMap((receipt) => receipt.failures);
  for (const { failure } of settled.late) {
    const last = failures.findLastIndex(({ file }) => file === failure.file);
    // Where the file's own failures are not among the first of their slice, neither is this one.
    if (last >= 0) failures.splice(last + 1, 0, failure);
  }
  return {
    output: receipts.flatMap((receipt) => receipt.output),
    errors: receipts.flatMap((receipt) => receipt.errors),
    tallies: {
      ...tallies,
      filesDone: tallies.filesDone + settled.done,
      filesFailed: tallies.filesFailed + settled.failed,
    },
    late: settled.late,
    columns: known.columns,
    columnsOf: known.columnsOf,
    rowColumns: receipts.every((receipt) => receipt.rowColumns !== false),
    files,
    failures: failures.slice(0, FAILURES_IN_JOB),
  };
}

/** Joins what two parts of a plan gave, in order. Throws as `link` does. */
export function linkParts(one: Linked, other: Linked): Linked {
  sameColumns(one, other);
  const { columns, columnsOf } = one.columns === null ? other : one;
  const files = [...one.files, ...other.files];
  const writers = new Map<string, string>();
  for (const file of files) noteWriter(writers, file);
  return {
    output: [...one.output, ...other.output],
    errors: [...one.errors, ...other.errors],
    tallies: added(one.tallies, other.tallies),
    late: [...one.late, ...other.late],
    columns,
    columnsOf,
    rowColumns: one.rowColumns && other.rowColumns,
    files,
    failures: [...one.failures, ...other.failures].slice(0, FAILURES_IN_JOB),
  };
}
