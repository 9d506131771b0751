import type { FilePart } from '../../shared/formats/file-part.ts';
import { openRecords } from '../../shared/formats/open-records.ts';
import type { RecordFailure, ScoringOptions } from '../../shared/scoring/engine.ts';
import { batchMemory } from '../../shared/scoring/onnx/batch-memory.ts';
import type { InputType, ModelInputs } from '../../shared/scoring/onnx/model-inputs.ts';
import { recordBatch } from '../../shared/scoring/onnx/record-batch.ts';
import { memorySource, type MemorySource } from './memory-source.ts';

export interface RecordsRead {
  /** Each record as the model would get it. */
  records: { row: number; values: unknown[] }[];
  failures: RecordFailure[];
  batches: number;
  source: MemorySource;
}

export interface HowToRead {
  readonly columns: readonly { readonly name?: string; readonly type: InputType }[];
  readonly missing?: ScoringOptions['missing'];
  readonly chunk?: number;
  /** Records a batch. */
  readonly capacity?: number;
  readonly header?: boolean;
  readonly contentEncoding?: string;
  /** What is read of the file; of a text `bytes` are then its head and the part. */
  readonly part?: FilePart;
}

/** Reads a whole file into the memory of a model that takes each column as an input of its own. */
export async function readRecords(name: string, bytes: Uint8Array, how: HowToRead): Promise<RecordsRead> {
  const described: ModelInputs = {
    inputs: how.columns.map(({ type }, index) => ({ name: String(index), type, dims: [1], width: 1 })),
    columns: how.columns.map((column, input) => ({ name: column.name, type: column.type, input, offset: 0 })),
    fixedRows: undefined,
  };
  const capacity = how.capacity === undefined ? {} : { capacity: how.capacity };
  const memory = { ...batchMemory(described), ...capacity };
  const widths = described.inputs.map(() => 1);
  const batch = recordBatch(described.columns, widths, memory, how.missing ?? 'error');
  const source = memorySource(bytes, how.chunk);
  const csv = { delimiter: ',', header: how.header ?? true };
  const reader = openRecords({ name, contentEncoding: how.contentEncoding, part: how.part }, csv, batch, source);
  const result: RecordsRead = { records: [], failures: [], batches: 0, source };
  try {
    for (let last = false; !last;) {
      const read = await reader.read();
      last = read.last;
      result.batches++;
      result.failures.push(...batch.takeFailures());
      if (read.records === 0) continue;
      const columns = Object.values(memory.feeds(0, read.records)).map(({ data }) => data);
      for (let slot = 0; slot < read.records; slot++) {
        result.records.push({ row: memory.rows[slot] ?? -1, values: columns.map((column) => column[slot]) });
      }
      memory.bigIntegers.clear();
    }
  } finally {
    reader.close();
  }
  return result;
}
