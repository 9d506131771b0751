import { messageOf } from '../domain/errors.ts';
import { FAILURES_IN_JOB, type Failure } from '../domain/job.ts';
import { filesOf, type InputFile, type Manifest } from '../domain/plan.ts';
import type { LaneTallies } from '../domain/receipts.ts';
import { FileFault, TimedOut, type FileEngine, type FileToScore } from '../scoring/engine.ts';
import { collect } from '../storage/json-blobs.ts';
import { StorageFault, type Blobs } from '../storage/ports.ts';
import { StagingFault, type BlockWriter } from './block-writer.ts';
import type { Log } from './ports.ts';

/** What a slice carries from one mini-batch to the next. */
export interface SliceWork {
  readonly manifest: Manifest;
  readonly input: Blobs;
  readonly engine: FileEngine;
  readonly output: BlockWriter;
  readonly errors: BlockWriter;
  readonly tallies: LaneTallies;
  /** All failures of the slice are staged; the first ones are kept here too. */
  readonly failures: Failure[];
  readonly log: Log;
}

/**
 * Scores one mini-batch: up to `maxRetries` tries of all its files, each really stopped at the timeout. One that keeps failing
 * is taken apart, so that only the bad files fail. Throws StagingFault alone.
 */
export function scoreMiniBatch(work: SliceWork, miniBatch: number): Promise<void> {
  return scoreTogether(work, filesOf(work.manifest, miniBatch), miniBatch);
}

/** Some files of a mini-batch as if they were all of it. Throws StagingFault alone. */
export async function scoreTogether(work: SliceWork, files: readonly InputFile[], miniBatch: number): Promise<void> {
  const { maxRetries } = work.manifest.settings;
  let fault: unknown;
  for (let attempt = 1; attempt <= maxRetries; attempt++) {
    fault = await tryFiles(work, files, attempt);
    if (fault === undefined) return;
    work.log.warn({ miniBatch, attempt, error: messageOf(fault) }, 'mini-batch failed');
  }
  for (const file of files) {
    const alone = files.length === 1 ? fault : await tryFiles(work, [file], maxRetries + 1);
    if (alone !== undefined)
      await failFile(work, file, faultOf(alone), files.length === 1 ? maxRetries : maxRetries + 1);
  }
}

/** One try; everything that it wrote and counted is undone when it fails. Answers what failed. */
async function tryFiles(work: SliceWork, files: readonly InputFile[], attempt: number): Promise<unknown> {
  const { timeoutSeconds } = work.manifest.settings;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new TimedOut(timeoutSeconds)), timeoutSeconds * 1000);
  const undo = checkpoint(work);
  try {
    for (const file of files) await scoreFile(work, file, attempt, stop.signal);
    undo.keep();
    return undefined;
  } catch (error) {
    if (error instanceof StagingFault) throw error;
    undo.rollback();
    return error ?? new Error('failed without a reason');
  } finally {
    clearTimeout(timer);
  }
}

/** Scores one file. A fault of the file itself becomes its failure; any other is thrown, with the file's part undone by the caller. */
async function scoreFile(work: SliceWork, file: InputFile, attempt: number, signal: AbortSignal): Promise<void> {
  if (file.fault) return failFile(work, file, file.fault, attempt);
  const undo = checkpoint(work);
  let rows = 0;
  let failures = 0;
  // A body that is not read to its end keeps its connection until its signal aborts.
  const over = new AbortController();
  const signalOfFile = AbortSignal.any([signal, over.signal]);
  try {
    signal.throwIfAborted();
    const stored = storedFile(work, file, signalOfFile);
    for await (const part of work.engine.score(stored, work.manifest.extensions, signal)) {
      rows += part.rows;
      failures += part.failures.length;
      await work.output.append(part.bytes, part.rows);
      for (const failure of part.failures) await record(work, { file: file.name, ...failure, attempts: attempt });
    }
    undo.keep();
  } catch (error) {
    undo.rollback();
    const fault = ownFault(error);
    if (!fault) throw error;
    return failFile(work, file, fault, attempt);
  } finally {
    over.abort();
  }
  work.tallies.rows += rows;
  work.tallies.recordsFailed += failures;
  if (rows === 0 && failures > 0) {
    const noun = failures === 1 ? 'Its only record' : `All its ${failures} records`;
    await failFile(work, file, { code: 'NoRecordSucceeded', reason: `${noun} failed.` }, attempt);
  } else {
    work.tallies.filesDone++;
  }
}

/** A file as the engine reads it: nothing is asked of storage before the engine asks. */
function storedFile(work: SliceWork, file: InputFile, signal: AbortSignal): FileToScore {
  async function read(range: {
    readonly offset?: number;
    readonly count?: number;
  }): Promise<AsyncIterable<Uint8Array>> {
    const found = await work.input.read(
      { container: work.manifest.inputContainer, name: file.blob },
      { ...range, ifMatch: file.etag, signal },
    );
    if (!found) throw new FileFault('InputChanged', 'The file was deleted after the job had been planned.');
    return found.body;
  }
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* await read({});
  }
  return {
    name: file.name,
    contentEncoding: file.contentEncoding,
    length: file.length,
    body: body(),
    range: async (offset, count) => collect(await read({ offset, count })),
  };
}

type Fault = Pick<Failure, 'code' | 'reason' | 'line' | 'offset'>;

/** The fault of a file that no retry would mend. */
function ownFault(error: unknown): Fault | undefined {
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
function faultOf(error: unknown): Fault {
  if (error instanceof TimedOut) return { code: 'Timeout', reason: error.message };
  if (error instanceof StorageFault) return { code: 'ReadFailed', reason: error.message };
  return { code: 'ScoringFailed', reason: messageOf(error) };
}

/** Records a file as failed. */
export async function failFile(work: SliceWork, file: InputFile, fault: Fault, attempts: number): Promise<void> {
  work.tallies.filesFailed++;
  await record(work, { file: file.name, ...fault, attempts });
}

const encoder = new TextEncoder();

/** One line of the errors file. */
async function record(work: SliceWork, failure: Failure): Promise<void> {
  const { file, row, line, offset, code, reason, attempts } = failure;
  if (work.failures.length < FAILURES_IN_JOB) work.failures.push(failure);
  const text = JSON.stringify({ file, row, line, offset, code, reason, attempts });
  await work.errors.append(encoder.encode(`${text}\n`), 1);
}

/** Where output, errors and tallies stand, to go back to. */
function checkpoint(work: SliceWork): { keep(): void; rollback(): void } {
  const output = work.output.mark();
  const errors = work.errors.mark();
  const tallies = { ...work.tallies };
  const failures = work.failures.length;
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
    },
  };
}
