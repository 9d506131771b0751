import type { InputPiece } from '../domain/mini-batches.ts';
import type { FileEngine } from '../scoring/engine.ts';
import { endFile, failFile, recordFailure } from './file-outcomes.ts';
import { checkpoint, noteColumns, ownFault, type Scoring, type SliceWork } from './slice-work.ts';
import { storedFile } from './stored-file.ts';
import { tryTimer } from './try-timer.ts';

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
  files: readonly InputPiece[],
  attempt: number,
): Promise<void> {
  const { timeoutSeconds } = work.manifest.settings;
  const stop = new AbortController();
  const timer = tryTimer(work.bounds, timeoutSeconds, stop);
  const signal = AbortSignal.any([stop.signal, work.stopped]);
  try {
    for (const file of files) await scoreFile(work, engine, file, attempt, signal);
  } finally {
    timer.end();
  }
}

/** Scores one file, or a range of it. A fault of the file itself becomes its failure; any other is thrown, with the file's part undone by the caller. */
async function scoreFile(
  work: SliceWork,
  engine: FileEngine,
  file: InputPiece,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  if (file.fault) return failFile(work, file, file.fault, attempt);
  const undo = checkpoint(work);
  let rows = 0;
  let recordsFailed = 0;
  // A body that is not read to its end keeps its connection until its signal aborts.
  const over = new AbortController();
  const signalOfFile = AbortSignal.any([signal, over.signal]);
  try {
    signal.throwIfAborted();
    const { input: blobs, manifest } = work;
    const stored = storedFile({ blobs, container: manifest.inputContainer, signal: signalOfFile }, file);
    const parts = engine.score(stored, manifest.extensions, signal, (line) => work.log.printed(line));
    for await (const part of parts) {
      rows += part.rows;
      recordsFailed += part.failures.length;
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
  await endFile(work, file, { rows, recordsFailed }, attempt);
}
