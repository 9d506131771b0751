import { Tensor } from 'onnxruntime-node';
import type { InputType, ModelInput, ModelInputs } from './model-inputs.ts';

const MAX_ROWS = 4096;
const MAX_VALUES = 1024 * 1024;

/** The inputs of one batch of records, filled by the reader and used again for each batch. */
export interface BatchMemory {
  /** Records that it holds. */
  readonly capacity: number;
  /** All numbers. The column of input `i` at `offset` is at `bases[i] + offset + slot * width`. */
  readonly values: Float32Array | Float64Array;
  readonly bases: readonly number[];
  /** The texts of each string input, at `offset + slot * width`; undefined for the others. */
  readonly texts: readonly (string[] | undefined)[];
  /** Integers that a double cannot hold, by place; their place in `values` is NaN. */
  readonly bigIntegers: Map<number, bigint>;
  /** Data row, line and byte of the record in each slot, as `RecordTarget.kept` hears them. */
  readonly rows: Float64Array;
  readonly lines: Float64Array;
  readonly offsets: Float64Array;
  /** Tensors of `count` records from slot `from`; padded when the graph takes a fixed number of records. */
  feeds(from: number, count: number): Record<string, Tensor>;
}

export function batchMemory({ inputs, fixedRows }: ModelInputs): BatchMemory {
  const numeric = inputs.filter(({ type }) => type !== 'string');
  const numbersPerRow = numeric.reduce((sum, { width }) => sum + width, 0);
  const valuesPerRow = inputs.reduce((sum, { width }) => sum + width, 0);
  const capacity = fixedRows ?? Math.min(MAX_ROWS, Math.max(1, Math.floor(MAX_VALUES / valuesPerRow)));
  const size = numbersPerRow * capacity;
  // Numbers are parsed to the type that the model takes where that is one type, else to doubles and converted a batch.
  const single = numeric.every(({ type }) => type === 'float32');
  const values = single ? new Float32Array(size) : new Float64Array(size);
  const bigIntegers = new Map<number, bigint>();
  let next = 0;
  const bases = inputs.map(({ type, width }) => {
    const base = next;
    if (type !== 'string') next += width * capacity;
    return base;
  });
  const texts = inputs.map(({ type, width }) =>
    type === 'string' ? new Array<string>(width * capacity).fill('') : undefined,
  );

  return {
    capacity,
    values,
    bases,
    texts,
    bigIntegers,
    rows: new Float64Array(capacity),
    lines: new Float64Array(capacity),
    offsets: new Float64Array(capacity),
    feeds(from, count) {
      const rows = fixedRows ?? count;
      const feeds: Record<string, Tensor> = {};
      inputs.forEach((input, index) => {
        const dims = [rows, ...input.dims];
        const start = from * input.width;
        const length = count * input.width;
        const strings = texts[index];
        if (strings !== undefined) {
          const data = strings.slice(start, start + length);
          while (data.length < rows * input.width) data.push('');
          feeds[input.name] = new Tensor('string', data, dims);
          return;
        }
        const base = (bases[index] as number) + start;
        const full = rows * input.width;
        if (values instanceof Float32Array && full === length) {
          feeds[input.name] = new Tensor('float32', values.subarray(base, base + length), dims);
        } else {
          feeds[input.name] = numbers(input, values, base, length, full, bigIntegers, dims);
        }
      });
      return feeds;
    },
  };
}

/** A tensor of `length` values from `base` on, and zeros up to `full`. */
function numbers(
  { type }: ModelInput,
  values: Float32Array | Float64Array,
  base: number,
  length: number,
  full: number,
  bigIntegers: ReadonlyMap<number, bigint>,
  dims: readonly number[],
): Tensor {
  const from = values.subarray(base, base + length);
  switch (type as Exclude<InputType, 'string'>) {
    case 'float32':
      return new Tensor('float32', filled(new Float32Array(full), from), dims);
    case 'float64':
      return new Tensor('float64', filled(new Float64Array(full), from), dims);
    case 'int32':
      return new Tensor('int32', filled(new Int32Array(full), from), dims);
    case 'bool':
      return new Tensor('bool', filled(new Uint8Array(full), from), dims);
    case 'int64': {
      const wide = new BigInt64Array(full);
      const halves = new Int32Array(wide.buffer);
      for (let i = 0; i < length; i++) {
        const value = from[i] as number;
        if ((value | 0) === value) {
          // Little-endian halves: a BigInt for each value would cost more than parsing it.
          halves[2 * i] = value;
          halves[2 * i + 1] = value < 0 ? -1 : 0;
        } else {
          wide[i] = bigIntegers.get(base + i) ?? BigInt(value);
        }
      }
      return new Tensor('int64', wide, dims);
    }
  }
}

function filled<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(to: T, from: ArrayLike<number>): T {
  to.set(from);
  return to;
}
