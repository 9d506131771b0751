import { InferenceSession } from 'onnxruntime-node';
import type { PredictionColumns } from '../../formats/csv-encoder.ts';
import { ModelFault } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';
import { batchMemory, type BatchMemory } from './batch-memory.ts';
import { describeInputs, type ModelColumn } from './model-inputs.ts';
import { ownTrees, type GraphRunner } from './trees/own-trees.ts';
import { columnNames, declaredWidth, predictionsOf, tensorOutputs, widthOf } from './model-outputs.ts';

/** A model in memory. Everything here blocks its thread while the model runs. */
export interface LoadedModel {
  /** Names of the prediction columns. */
  readonly columns: readonly string[];
  readonly inputColumns: readonly ModelColumn[];
  /** Columns of each input of the graph. */
  readonly inputWidths: readonly number[];
  /** One batch at a time: whoever scores a file has it until the file's end. */
  readonly memory: BatchMemory;
  /** Predictions of `count` records from slot `from` of the memory. */
  run(from: number, count: number): Promise<PredictionColumns[]>;
  /** Whether the model still scores what it scored when it was loaded: tells a bad record from a broken engine. */
  works(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Loads an ONNX model with one thread; parallelism comes from more workers, which is faster for trees. Throws ModelFault
 * when it is not ONNX, or its inputs and outputs are of kinds that CSV cannot carry.
 */
export async function loadModel(model: Uint8Array, signature: Signature | undefined): Promise<LoadedModel> {
  const session = await createSession(model);
  try {
    return await describe(session, (await ownTrees(model, session)) ?? session, signature);
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(model: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Fatal only: errors reach us as exceptions, and may show the user's data in the host's log.
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw new ModelFault(`The model cannot be loaded as ONNX: ${firstLine(error)}`, { cause: error });
  }
}

async function describe(
  session: InferenceSession,
  graph: GraphRunner,
  signature: Signature | undefined,
): Promise<LoadedModel> {
  const described = describeInputs(session.inputMetadata, signature);
  const outputs = tensorOutputs(session.outputMetadata);
  const outputNames = outputs.map(({ name }) => name);
  const memory = batchMemory(described);
  // Two records, so that an output that does not follow their number shows.
  const probeRows = Math.min(2, memory.capacity);

  async function run(from: number, count: number): Promise<{ predictions: PredictionColumns[]; widths: number[] }> {
    const results = await graph.run(memory.feeds(from, count), outputNames);
    const rows = described.fixedRows ?? count;
    const widths: number[] = [];
    const predictions = outputNames.map((name) => {
      const tensor = results[name];
      if (tensor === undefined) throw new Error(`The model gave no output '${name}'.`);
      const width = widthOf(name, tensor, rows);
      widths.push(width);
      return predictionsOf(tensor, width);
    });
    return { predictions, widths };
  }

  let widths: number[];
  let probed = true;
  try {
    ({ widths } = await run(0, probeRows));
  } catch (error) {
    if (error instanceof ModelFault) throw error;
    // Zeros and empty texts may be values that this model refuses; then the graph must say what comes out.
    probed = false;
    widths = outputs.map((output) => {
      const width = declaredWidth(output);
      if (width !== undefined) return width;
      throw new ModelFault(
        `Output '${output.name}' does not say how many columns it has, and a trial run failed: ${firstLine(error)}`,
        { cause: error },
      );
    });
  }

  return {
    columns: outputNames.flatMap((name, index) => columnNames(name, widths[index] as number)),
    inputColumns: described.columns,
    inputWidths: described.inputs.map(({ width }) => width),
    memory,
    async run(from, count) {
      const result = await run(from, count);
      const other = result.widths.findIndex((width, index) => width !== widths[index]);
      if (other >= 0) throw new ModelFault(`Output '${outputNames[other]}' changes its number of columns.`);
      return result.predictions;
    },
    async works() {
      if (!probed) return true;
      try {
        const zeros = batchMemory(described);
        await session.run(zeros.feeds(0, probeRows), outputNames);
        return true;
      } catch {
        // The caller holds the error that made it ask, and throws that one.
        return false;
      }
    },
    close: () => session.release(),
  };
}

/** ONNX Runtime's messages may carry a path list or a graph dump after the first line. */
export function firstLine(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
