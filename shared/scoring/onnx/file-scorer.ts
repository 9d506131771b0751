import { HeadFault } from '../../formats/file-part.ts';
import { openRecords, type FileToRead } from '../../formats/open-records.ts';
import type { RecordReader, RecordSource } from '../../formats/record-reader.ts';
import type { RecordFailure, ScoredPart, ScoringOptions } from '../engine.ts';
import { batchScorer } from './batch-scorer.ts';
import type { LoadedModel } from './model.ts';
import { recordBatch } from './record-batch.ts';
import { secondThreads, type Outcome, type SecondThreads } from './second-threads.ts';

/** Parts that wait for the part of a batch before them. */
const MAX_WAITING = 8;

/** A batch from its reading until its part is emitted. */
interface ReadBatch {
  /** Of its reading. */
  readonly failures: readonly RecordFailure[];
  outcome?: Outcome;
}

/**
 * Scores one file, or a part of it, emitting a part for each batch, in row order; each is waited for. The model's memory is this
 * file's own until the end. Batches are lent to `seconds` while these have room. Throws FileFault for the file's fault, the
 * source's own errors, and any other error when the engine fails. A record that the model refuses on its own becomes the
 * failure `ModelError`, and the others of its batch are scored.
 */
export async function scoreFile(
  model: LoadedModel,
  file: FileToRead,
  source: RecordSource,
  options: ScoringOptions,
  emit: (part: ScoredPart) => Promise<void> | void,
  seconds: SecondThreads = secondThreads(model.memory),
): Promise<void> {
  const batch = recordBatch(model.inputColumns, model.inputWidths, model.memory, options.missing);
  const scorer = batchScorer(model, file.name, options.outputFormat);
  /** In row order. */
  const waiting: ReadBatch[] = [];
  /** Milliseconds that scoring a record takes in the quickest batch so far: the first ones are slower. */
  let recordMs = Infinity;

  const scoreHere = async (records: number): Promise<Outcome> => {
    const started = performance.now();
    try {
      const part = await scorer.score(records);
      if (records > 0) recordMs = Math.min(recordMs, (performance.now() - started) / records);
      return { part };
    } catch (error) {
      return { error };
    }
  };

  async function scoreReturned(): Promise<boolean> {
    const lent = seconds.takeReturned();
    if (lent === undefined) return false;
    lent.answer(await scoreHere(lent.records));
    return true;
  }

  /** Emits what is scored, in row order, and waits for what is not unless that is `enough`. */
  async function emitUntil(enough: () => boolean): Promise<void> {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (first.outcome !== undefined) {
        waiting.shift();
        await emitBatch(first.failures, first.outcome);
      } else if (enough()) return;
      else if (!(await scoreReturned())) await seconds.change();
    }
  }

  async function emitBatch(failed: readonly RecordFailure[], outcome: Outcome): Promise<void> {
    if ('error' in outcome) throw outcome.error;
    const { bytes, rows, failures: refused } = outcome.part;
    const failures = [...failed, ...refused].sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
    if (rows > 0 || failures.length > 0) await emit({ bytes, rows, failures });
  }

  /** False after the last batch; a fault of reading stands behind what was read before it. */
  async function readNext(reader: RecordReader): Promise<boolean> {
    try {
      const { records, last } = await reader.read();
      const read: ReadBatch = { failures: batch.takeFailures() };
      waiting.push(read);
      const lent = !last && seconds.lend(records, recordMs, (outcome) => (read.outcome = outcome));
      if (!lent) read.outcome = await scoreHere(records);
      return !last;
    } catch (error) {
      waiting.push({ failures: [], outcome: { error } });
      return false;
    }
  }

  const fewScored = () => waiting.filter(({ outcome }) => outcome !== undefined).length <= MAX_WAITING;
  const csv = { delimiter: options.csvDelimiter, header: options.csvHeader };
  let reader: RecordReader | undefined;
  try {
    reader = openRecords(file, csv, batch, source);
    while (await readNext(reader)) {
      await seconds.hear();
      while (await scoreReturned());
      await emitUntil(fewScored);
    }
    await emitUntil(() => false);
  } catch (error) {
    // It is the first part's to tell.
    if (!(error instanceof HeadFault)) throw error;
  } finally {
    reader?.close();
    seconds.close();
  }
}
