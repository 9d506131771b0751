import { recordEncoder } from '../../formats/csv-encoder.ts';
import { csvTokenizer } from '../../formats/csv-tokenizer.ts';
import { ModelFault, type RecordFailure, type ScoredPart, type ScoringOptions } from '../engine.ts';
import { firstLine, type LoadedModel } from './model.ts';
import { recordReader } from './record-reader.ts';

/** Scores the bytes of one file. Used by the worker, and directly where no thread is wanted. */
export interface FileScorer {
  /** Reads a chunk to its end, emitting a part for each full batch. Wait for it before the next. */
  push(chunk: Uint8Array): Promise<void>;
  /** The file is whole: emits the last part. */
  end(): Promise<void>;
}

/**
 * A scorer of one file; the model's memory is its own until `end`. `emit` gets parts in row order and is waited for.
 * Throws FileFault for the file's fault, any other error when the engine fails. A record that the model refuses on its
 * own becomes the failure `ModelError`, and the others of its batch are scored.
 */
export function fileScorer(
  model: LoadedModel,
  fileName: string,
  options: ScoringOptions,
  emit: (part: ScoredPart) => Promise<void> | void,
): FileScorer {
  const { memory } = model;
  const reader = recordReader(model.inputColumns, model.inputWidths, memory, options.missing);
  const tokenizer = csvTokenizer({ delimiter: options.csvDelimiter, header: options.csvHeader }, reader);
  const encoder = recordEncoder(fileName, options.outputFormat);
  const empty = new Uint8Array(0);

  /** Scores slots `from` to `from + count`; what the model refuses is found by halving. */
  async function score(from: number, count: number): Promise<ScoredPart[]> {
    try {
      const predictions = await model.run(from, count);
      const bytes = encoder.encode(reader.rows.subarray(from, from + count), count, predictions);
      return [{ bytes, rows: count, failures: [] }];
    } catch (error) {
      if (error instanceof ModelFault) throw error;
      if (count > 1) {
        const half = count >> 1;
        return [...(await score(from, half)), ...(await score(from + half, count - half))];
      }
      if (!(await model.works())) throw error;
      return [{ bytes: empty, rows: 0, failures: [refused(from, error)] }];
    }
  }

  function refused(slot: number, error: unknown): RecordFailure {
    const row = reader.rows[slot] as number;
    const line = reader.lines[slot] as number;
    return { row, line, code: 'ModelError', reason: `The model refused the record: ${firstLine(error)}` };
  }

  async function flush(): Promise<void> {
    const parts = tokenizer.slots > 0 ? await score(0, tokenizer.slots) : [];
    const failures = [...reader.takeFailures(), ...parts.flatMap((part) => part.failures)];
    tokenizer.clear();
    memory.bigIntegers.clear();
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    if (rows === 0 && failures.length === 0) return;
    failures.sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
    const [first] = parts;
    const bytes = parts.length === 1 && first !== undefined ? first.bytes : joined(parts.map((part) => part.bytes));
    await emit({ bytes, rows, failures });
  }

  return {
    async push(chunk) {
      let offset = 0;
      do {
        offset = tokenizer.push(chunk, offset);
        if (tokenizer.full) await flush();
      } while (offset < chunk.length);
    },
    async end() {
      while (!tokenizer.end()) await flush();
      await flush();
    },
  };
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
