import type { RecordFailure, ScoringOptions } from '../../../shared/scoring/engine.ts';
import { scoreFile } from '../../../shared/scoring/onnx/file-scorer.ts';
import { loadModel } from '../../../shared/scoring/onnx/model.ts';
import type { Signature } from '../../../shared/scoring/mlmodel.ts';
import { memorySource } from '../../support/memory-source.ts';
import { onnxModel, type Graph } from './onnx-graph.ts';

export const OPTIONS: ScoringOptions = { outputFormat: 'csv', csvHeader: true, csvDelimiter: ',', missing: 'error' };

export interface Scored {
  /** Output records as lines. */
  lines: string[];
  rows: number;
  failures: RecordFailure[];
  parts: number;
}

export interface TextToScore {
  readonly graph: Graph | Uint8Array;
  readonly signature?: Signature | undefined;
  readonly options?: Partial<ScoringOptions>;
  readonly name?: string;
  readonly contentEncoding?: string;
  readonly chunk?: number;
}

/** Scores a file's text in this thread. */
export async function scoreText(content: string | Uint8Array, setup: TextToScore): Promise<Scored> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const model = await loadModel(
    setup.graph instanceof Uint8Array ? setup.graph : onnxModel(setup.graph),
    setup.signature,
  );
  const scored: Scored = { lines: [], rows: 0, failures: [], parts: 0 };
  let text = '';
  const file = { name: setup.name ?? 'f', contentEncoding: setup.contentEncoding };
  try {
    const source = memorySource(bytes, setup.chunk);
    await scoreFile(model, file, source, { ...OPTIONS, ...setup.options }, (part) => {
      text += Buffer.from(part.bytes).toString();
      scored.parts++;
      scored.rows += part.rows;
      scored.failures.push(...part.failures);
    });
  } finally {
    await model.close();
  }
  return { ...scored, lines: text.split('\n').slice(0, -1) };
}

/** A signature that names input columns. */
export function inputsNamed(...names: string[]): Signature {
  return { inputs: names.map((name) => ({ name, type: 'double', required: true })), outputs: [] };
}
