import type { InferenceSession } from 'onnxruntime-node';
import { ModelFault } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';

const INPUT_TYPES = ['float32', 'float64', 'int64', 'int32', 'bool', 'string'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

/** An input of the ONNX graph: `width` columns of one type. */
export interface ModelInput {
  readonly name: string;
  readonly type: InputType;
  readonly width: number;
  /** Dimensions after the records' one: [] for [N], [13] for [N, 13]. */
  readonly dims: readonly number[];
}

/** A column that the file must bring. */
export interface ModelColumn {
  /** Undefined where neither the signature nor the graph names it: such columns are matched in order. */
  readonly name: string | undefined;
  readonly type: InputType;
  /** Index of the input, and the column's place in it. */
  readonly input: number;
  readonly offset: number;
}

export interface ModelInputs {
  readonly inputs: readonly ModelInput[];
  readonly columns: readonly ModelColumn[];
  /** Set when the graph was exported for that many records at a time. */
  readonly fixedRows: number | undefined;
}

/**
 * Columns of a model from its graph and signature: one matrix, one input per column as skl2onnx writes them, or a mix.
 * Throws ModelFault for inputs that CSV cannot feed.
 */
export function describeInputs(
  metadata: readonly InferenceSession.ValueMetadata[],
  signature: Signature | undefined,
): ModelInputs {
  const named = signature?.inputs.map(({ name }) => name) ?? [];
  const batchSizes = new Set<number>();
  const inputs = metadata.map((input): ModelInput => {
    if (!input.isTensor) throw new ModelFault(`Input '${input.name}' is not a tensor; CSV can only feed tensors.`);
    const type = INPUT_TYPES.find((known) => known === input.type);
    if (type === undefined) {
      throw new ModelFault(`Input '${input.name}' has type ${input.type}; supported are ${INPUT_TYPES.join(', ')}.`);
    }
    const [rows, ...rest] = input.shape;
    if (rows === undefined) throw new ModelFault(`Input '${input.name}' is a scalar; it must have one row per record.`);
    if (typeof rows === 'number') batchSizes.add(rows);
    // A matrix of unknown width is as wide as the signature says, when it is the only input.
    const open = rest.filter((dim) => typeof dim !== 'number').length;
    const known = rest.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
    const missing = open === 1 && metadata.length === 1 && named.length > 0 ? named.length / known : undefined;
    if (open > 0 && !Number.isInteger(missing)) {
      throw new ModelFault(
        `Input '${input.name}' does not say how many columns it takes, and the model has no signature that names them.`,
      );
    }
    const dims = rest.map((dim) => (typeof dim === 'number' ? dim : (missing ?? 1)));
    return { name: input.name, type, dims, width: dims.reduce((product, dim) => product * dim, 1) };
  });
  if (inputs.length === 0) throw new ModelFault('The model has no inputs.');
  if (batchSizes.size > 1) throw new ModelFault('The inputs of the model are for different numbers of records.');

  const count = inputs.reduce((sum, { width }) => sum + width, 0);
  if (named.length > 0 && named.length !== count) {
    throw new ModelFault(`The signature names ${named.length} input columns, but the ONNX model takes ${count}.`);
  }
  // A signature may list the graph's inputs in another order; names that are the graph's own bind by name.
  const graphNames = new Set(inputs.map(({ name }) => name));
  const byName = inputs.every(({ width }) => width === 1) && named.every((name) => graphNames.has(name));
  let place = 0;
  const columns = inputs.flatMap(({ name, type, width }, input) =>
    Array.from({ length: width }, (_, offset): ModelColumn => {
      const ofSignature = named[place++];
      const ofGraph = width === 1 ? name : undefined;
      return { name: byName ? ofGraph : (ofSignature ?? ofGraph), type, input, offset };
    }),
  );
  return { inputs, columns, fixedRows: [...batchSizes][0] };
}
