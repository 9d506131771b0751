import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PredictionColumns } from '../../formats/csv-encoder.ts';
import { ModelFault } from '../engine.ts';

/** The outputs that are tensors, by name. Throws ModelFault when there is none. */
export function tensorOutputs(
  metadata: readonly InferenceSession.ValueMetadata[],
): InferenceSession.TensorValueMetadata[] {
  const tensors = metadata.filter((output) => output.isTensor);
  if (tensors.length === 0) {
    throw new ModelFault(
      'The model has no tensor output. Convert classifiers with zipmap=False, so that probabilities are a matrix.',
    );
  }
  const half = tensors.find(({ type }) => type === 'float16');
  if (half !== undefined) throw new ModelFault(`Output '${half.name}' has type float16, which is not supported.`);
  return tensors;
}

/** Cells a record of an output whose shape is declared; undefined when the graph does not say. */
export function declaredWidth({ shape }: InferenceSession.TensorValueMetadata): number | undefined {
  return shape
    .slice(1)
    .reduce<number | undefined>((product, dim) => (typeof dim === 'number' && product ? product * dim : undefined), 1);
}

/** `label` for one column, `probabilities_0` to `probabilities_2` for three. */
export function columnNames(name: string, width: number): string[] {
  return width === 1 ? [name] : Array.from({ length: width }, (_, index) => `${name}_${index}`);
}

/** Cells a record of a tensor that came back for `rows` records. Throws ModelFault when it has not one row for each. */
export function widthOf(name: string, { dims, size }: Tensor, rows: number): number {
  if (dims[0] !== rows) {
    throw new ModelFault(
      `Output '${name}' has shape [${dims.join(', ')}] for ${rows} records; it must have one row each.`,
    );
  }
  return size / rows;
}

export function predictionsOf(tensor: Tensor, width: number): PredictionColumns {
  const data = tensor.data;
  if (tensor.type === 'bool' && data instanceof Uint8Array)
    return { width, data: Array.from(data, (bit) => bit === 1) };
  if (data instanceof Uint8ClampedArray) throw new ModelFault('Clamped outputs are not supported.');
  return { width, data };
}
