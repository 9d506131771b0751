import { MAX_NUMBER_BYTES, float64Text, writeAscii, writeFloat32, writeInteger } from './decimal.ts';

/**
 * `csv`: RFC 4180 with LF line ends, which every reader takes and pandas writes. `azureml`: what Azure ML's `append_row`
 * writes, cells between single spaces and no header.
 */
export type RecordFormat = 'csv' | 'azureml';

/** Predictions of a batch: `width` cells a record, row after row. Anything that ONNX Runtime returns. */
export interface PredictionColumns {
  readonly width: number;
  readonly data: PredictionData;
}

export type PredictionData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | readonly string[]
  | readonly boolean[];

export interface RecordEncoder {
  /** Encodes the first `count` records: the file's name, `rows[i]`, and their predictions. The caller owns the bytes. */
  encode(rows: ArrayLike<number>, count: number, predictions: readonly PredictionColumns[]): Uint8Array<ArrayBuffer>;
}

const LF = 10;

/**
 * The header of a predictions file with its line end; '' in the format that has none, and where no column is known. `columns`
 * without file and row, which `rowColumns` adds.
 */
export function headerLine(columns: readonly string[], format: RecordFormat, rowColumns = true): string {
  const all = rowColumns ? ['file', 'row', ...columns] : columns;
  if (format === 'azureml' || all.length === 0) return '';
  return all.map((name) => quoteCell(name, format)).join(',') + '\n';
}

/** A cell's text, quoted only where a reader needs it. */
export function quoteCell(text: string, format: RecordFormat): string {
  const special = format === 'csv' ? /[",\r\n]/ : /[" \r\n]/;
  // An empty cell between single spaces would be lost.
  const quoted = special.test(text) || (format === 'azureml' && text === '');
  return quoted ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Encodes the records of one file. float32 is written as the shortest decimal that reads back to the same float32. */
export function recordEncoder(fileName: string, format: RecordFormat): RecordEncoder {
  const separator = format === 'csv' ? 44 : 32;
  const prefix = Buffer.from(quoteCell(fileName, format) + String.fromCharCode(separator));
  let bytesPerRecord = 0;

  return {
    encode(rows, count, predictions) {
      const cells = predictions.reduce((sum, { width }) => sum + width, 0);
      const fixed = prefix.length + (cells + 1) * (MAX_NUMBER_BYTES + 1) + 1;
      // As long as the last batch's records were, with a margin: a part is handed over as its own buffer.
      const guess = bytesPerRecord === 0 ? fixed : Math.ceil(bytesPerRecord * 1.05);
      let out = allocate(count * guess + fixed);
      let p = 0;
      const room = (need: number) => {
        if (p + need <= out.length) return;
        const larger = allocate(Math.max(out.length * 2, p + need));
        larger.set(out.subarray(0, p));
        out = larger;
      };
      const columns = predictions.map(cellsOf);
      for (let i = 0; i < count; i++) {
        room(fixed);
        for (let k = 0; k < prefix.length; k++) out[p + k] = prefix[k] as number;
        p = writeInteger(rows[i] as number, out, p + prefix.length);
        for (const { kind, width, floats, words, others } of columns) {
          for (let from = i * width, to = from + width; from < to; from++) {
            out[p++] = separator;
            if (kind === 'float32') {
              p = writeFloat32(floats[from] as number, out, p);
            } else if (kind === 'int64') {
              p = writeInt64(words, from, out, p);
            } else {
              const cell = others[from] as number | string | boolean | bigint;
              if (typeof cell === 'number') {
                p = kind === 'float64' ? writeAscii(float64Text(cell), out, p) : writeInteger(cell, out, p);
              } else {
                const text = quoteCell(String(cell), format);
                room(text.length * 3 + fixed);
                p += out.write(text, p);
              }
            }
          }
        }
        out[p++] = LF;
      }
      if (count > 0) bytesPerRecord = p / count;
      // Not a view on more than it needs: it is moved to another thread, and freed there.
      return new Uint8Array(out.buffer.transfer(p));
    },
  };
}

/** One output's cells, told apart once a batch and not once a cell. */
interface Cells {
  readonly kind: 'float32' | 'float64' | 'int64' | 'other';
  readonly width: number;
  readonly floats: Float32Array;
  /** Low and high halves of 64-bit integers. */
  readonly words: Int32Array;
  readonly others: ArrayLike<number | bigint | string | boolean>;
}

const NO_FLOATS = new Float32Array(0);
const NO_WORDS = new Int32Array(0);

function cellsOf({ data, width }: PredictionColumns): Cells {
  const none = { width, floats: NO_FLOATS, words: NO_WORDS, others: [] };
  if (data instanceof Float32Array) return { ...none, kind: 'float32', floats: data };
  if (data instanceof BigInt64Array) {
    return { ...none, kind: 'int64', words: new Int32Array(data.buffer, data.byteOffset, 2 * data.length) };
  }
  return { ...none, kind: data instanceof Float64Array ? 'float64' : 'other', others: data };
}

/** Without a bigint for the small ones. */
function writeInt64(words: Int32Array, index: number, out: Buffer, at: number): number {
  const low = words[2 * index] as number;
  const high = words[2 * index + 1] as number;
  if (high === low >> 31) return writeInteger(low, out, at);
  return writeAscii(String((BigInt(high) << 32n) | BigInt(low >>> 0)), out, at);
}

/** A buffer of its own, never a slice of Node's pool: it is transferred between threads. */
function allocate(size: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(size));
}
