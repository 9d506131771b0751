import type { InputPiece } from '../domain/mini-batches.ts';
import type { FileEngine } from '../scoring/engine.ts';
import { endFile, failFile, recordFailure } from './file-outcomes.ts';
import { readAhead, type ReadAhead, type TakenFile } from './read-ahead.ts';
import {
  checkpoint,
  noteColumns,
  ownFault,
  type MiniBatchesToCome,
  type Scoring,
  type SliceWork,
} from './slice-work.ts';
import { tryTimer } from './try-timer.ts';

const ended = Promise.resolve();

/** Scores with an engine that takes one file after the other, as streams from storage; small files are read ahead. */
export function fileScoring(engine: FileEngine): Scoring {
  let toCome: MiniBatchesToCome = [];
  let ahead: ReadAhead | undefined;
  return {
    rowColumns: true,
    takesRanges: engine.takesParts,
    expect(miniBatches) {
      toCome = miniBatches;
    },
    begin(work) {
      const reading = (ahead ??= readAhead({ blobs: work.input, container: work.manifest.inputContainer }));
      return {
        async run(files, attempt) {
          // What hung for one try is not waited for by the next.
          if (attempt > 1) await reading.forget();
          reading.follow(inOrder(files, toCome));
          await scoreFiles(work, engine, reading, files, attempt);
        },
        end: () => ended,
      };
    },
    end: async () => ahead?.forget(),
  };
}

function* inOrder(files: readonly InputPiece[], toCome: MiniBatchesToCome): Generator<InputPiece> {
  yield* files;
  for (const miniBatch of toCome) yield* miniBatch;
}

/** One try of some files, stopped at the timeout. */
async function scoreFiles(
  work: SliceWork,
  engine: FileEngine,
  ahead: ReadAhead,
  files: readonly InputPiece[],
  attempt: number,
): Promise<void> {
  const { timeoutSeconds } = work.manifest.settings;
  const stop = new AbortController();
  const timer = tryTimer(work.bounds, timeoutSeconds, stop);
  const signal = AbortSignal.any([stop.signal, work.stopped]);
  try {
    for (const file of files) await scoreFile(work, engine, ahead, file, attempt, signal);
  } finally {
    timer.end();
  }
}

/** Scores one file, or a range of it. A fault of the file itself becomes its failure; any other is thrown, with the file's part undone by the caller. */
async function scoreFile(
  work: SliceWork,
  engine: FileEngine,
  ahead: ReadAhead,
  file: InputPiece,
  attempt: number,
  signal: AbortSignal,
): Promise<void> {
  if (file.fault) return failFile(work, file, file.fault, attempt);
  const undo = checkpoint(work);
  let rows = 0;
  let recordsFailed = 0;
  let taken: TakenFile | undefined;
  try {
    signal.throwIfAborted();
    taken = await ahead.take(file, signal);
    const parts = engine.score(taken.stored, work.manifest.extensions, signal, (line) => work.log.printed(line));
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
    taken?.close();
  }
  await endFile(work, file, { rows, recordsFailed }, attempt);
}
