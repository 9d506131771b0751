import { recordEncoder } from '../../formats/csv-encoder.ts';
import { NO_LINE, NO_OFFSET } from '../../formats/record-target.ts';
import { ModelFault, type RecordFailure, type ScoredPart, type ScoringOptions } from '../engine.ts';
import { firstLine, type LoadedModel } from './model.ts';

/** Scores the batches of one file that lie in the model's memory. */
export interface BatchScorer {
  /**
   * Scores the first `records` slots. A record that the model refuses on its own is found by halving and becomes the failure
   * `ModelError`. Throws ModelFault, and any other error when the engine fails.
   */
  score(records: number): Promise<ScoredPart>;
}

const EMPTY = new Uint8Array(0);

export function batchScorer(
  model: LoadedModel,
  fileName: string,
  outputFormat: ScoringOptions['outputFormat'],
): BatchScorer {
  const { memory } = model;
  const encoder = recordEncoder(fileName, outputFormat);

  /** Scores slots `from` to `from + count`. */
  async function score(from: number, count: number): Promise<ScoredPart[]> {
    try {
      const predictions = await model.run(from, count);
      const bytes = encoder.encode(memory.rows.subarray(from, from + count), count, predictions);
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
    const row = memory.rows[slot] as number;
    const line = memory.lines[slot] as number;
    const offset = memory.offsets[slot] as number;
    return {
      row,
      ...(line === NO_LINE ? {} : { line }),
      ...(offset === NO_OFFSET ? {} : { offset }),
      code: 'ModelError',
      reason: `The model refused the record: ${firstLine(error)}`,
    };
  }

  return {
    async score(records) {
      const parts = records > 0 ? await score(0, records) : [];
      memory.bigIntegers.clear();
      const [first] = parts;
      return {
        bytes: parts.length === 1 && first !== undefined ? first.bytes : joined(parts.map(({ bytes }) => bytes)),
        rows: parts.reduce((sum, { rows }) => sum + rows, 0),
        failures: parts.flatMap(({ failures }) => failures),
      };
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
