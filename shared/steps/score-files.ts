import type { InputFile } from '../domain/plan.ts';
import { FileFault, TimedOut, type FileEngine, type FileToScore } from '../scoring/engine.ts';
import { collect } from '../storage/json-blobs.ts';
import {
  checkpoint,
  DELETED,
  failFile,
  noteColumns,
  ownFault,
  recordFailure,
  type Scoring,
  type SliceWork,
} from './slice-work.ts';

const nothing = (): void => undefined;
const ended = Promise.resolve();

/** Scores with an engine that takes one file after the other, as streams from storage. */
export const fileScoring = (engine: FileEngine): Scoring => ({
  rowColumns: true,
  expect: nothing,
  begin: (work) => ({
    run: (files, attempt) => scoreFiles(work, engine, files, attempt),
    end: () => ended,
  }),
  end: () => ended,
});

/** One try of some files, stopped at the timeout. */
async function scoreFiles(
  work: SliceWork,
  engine: FileEngine,
  files: readonly InputFile[],
  attempt: number,
): Promise<void> {
  const { timeoutSeconds } = work.manifest.settings;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new TimedOut(timeoutSeconds)), timeoutSeconds * 1000);
  try {
    for (const file of files) await scoreFile(work, engine, file, attempt, stop.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Scores one file. A fault of the file itself becomes its failure; any other is thrown, with the file's part undone by the caller. */
async function scoreFile(
  work: SliceWork,
  engine: FileEngine,
  file: InputFile,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
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
    const parts = engine.score(stored, work.manifest.extensions, signal, (line) => work.log.printed(line));
    for await (const part of parts) {
      rows += part.rows;
      failures += part.failures.length;
      if (part.columns && part.rows > 0) noteColumns(work, part.columns, file.name);
      await work.output.append(part.bytes, part.rows);
      for (const failure of part.failures)
        await recordFailure(work, { file: file.name, ...failure, attempts: attempt });
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
    if (!found) throw new FileFault('InputChanged', DELETED);
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
