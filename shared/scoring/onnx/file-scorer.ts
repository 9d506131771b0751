import { recordEncoder } from '../../formats/csv-encoder.ts';
import { HeadFault } from '../../formats/file-part.ts';
import { openRecords, type FileToRead } from '../../formats/open-records.ts';
import type { RecordReader, RecordSource } from '../../formats/record-reader.ts';
import { ModelFault, type RecordFailure, type ScoredPart, type ScoringOptions } from '../engine.ts';
import { firstLine, type LoadedModel } from './model.ts';
import { recordBatch } from './record-batch.ts';

const EMPTY = new Uint8Array(0);

/**
 * Scores one file, or a part of it, emitting a part for each batch, in row order; each is waited for. The model's memory is this file's own until the
 * end. Throws FileFault for the file's fault, the source's own errors, and any other error when the engine fails. A record that
 * the model refuses on its own becomes the failure `ModelError`, and the others of its batch are scored.
 */
export async function scoreFile(
  model: LoadedModel,
  file: FileToRead,
  source: RecordSource,
  options: ScoringOptions,
  emit: (part: ScoredPart) => Promise<void> | void,
): Promise<void> {
  const { memory } = model;
  const batch = recordBatch(model.inputColumns, model.inputWidths, memory, options.missing);
  const encoder = recordEncoder(file.name, options.outputFormat);

  /** Scores slots `from` to `from + count`; what the model refuses is found by halving. */
  async function score(from: number, count: number): Promise<ScoredPart[]> {
    try {
      const predictions = await model.run(from, count);
      const bytes = encoder.encode(batch.rows.subarray(from, from + count), count, predictions);
      return [{ bytes, rows: count, failures: [] }];
    } catch (error) {
      if (error instanceof ModelFault) throw error;
      if (count > 1) {
        const half = count >> 1;
        return [...(await score(from, half)), ...(await score(from + half, count - half))];
      }
      if (!(await model.works())) throw error;
      return [{ bytes: EMPTY, rows: 0, failures: [refused(from, error)] }];
    }
  }

  function refused(slot: number, error: unknown): RecordFailure {
    const reason = `The model refused the record: ${firstLine(error)}`;
    return { ...batch.placeOf(slot), code: 'ModelError', reason };
  }

  async function scoreBatch(records: number): Promise<void> {
    const parts = records > 0 ? await score(0, records) : [];
    const failures = [...batch.takeFailures(), ...parts.flatMap((part) => part.failures)];
    memory.bigIntegers.clear();
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    if (rows === 0 && failures.length === 0) return;
    failures.sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
    const [first] = parts;
    const bytes = parts.length === 1 && first !== undefined ? first.bytes : joined(parts.map((part) => part.bytes));
    await emit({ bytes, rows, failures });
  }

  const csv = { delimiter: options.csvDelimiter, header: options.csvHeader };
  let reader: RecordReader | undefined;
  try {
    reader = openRecords(file, csv, batch, source);
    for (;;) {
      const { records, last } = await reader.read();
      await scoreBatch(records);
      if (last) return;
    }
  } catch (error) {
    // It is the first part's to tell.
    if (!(error instanceof HeadFault)) throw error;
  } finally {
    reader?.close();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
