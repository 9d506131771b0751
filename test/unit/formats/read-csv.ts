import type { CsvOptions } from '../../../shared/formats/csv-dialect.ts';
import { csvTokenizer } from '../../../shared/formats/csv-tokenizer.ts';
import {
  CellKind,
  type CellFault,
  type RecordFault,
  type RecordTarget,
} from '../../../shared/formats/record-target.ts';

export interface Read {
  header: readonly string[] | undefined;
  records: { row: number; line: number; offset: number; cells: (string | number)[] }[];
  faults: RecordFault[];
}

export interface Setup extends Partial<CsvOptions> {
  /** Columns of a file without a header. */
  width?: number;
  kind?: (column: number) => number;
  capacity?: number;
  /** Bytes a chunk; default all at once. */
  chunk?: number;
  /** Places at which a file is cut; then `chunk` does not count. */
  cuts?: readonly number[];
  narrow?: boolean;
  /** Places that each record leaves free, so that the records are no whole matrix. */
  gap?: number;
  /** Place of a column in its record; its own when absent. */
  placeOf?: (column: number) => number;
}

/** Reads a whole file through the tokenizer; a numeric cell that is not plain is kept as its text. */
export function readCsv(content: string | Uint8Array, setup: Setup = {}): Read {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const capacity = setup.capacity ?? 3;
  const placeOf = setup.placeOf ?? ((column) => column);
  const result: Read = { header: undefined, records: [], faults: [] };
  let values: Float32Array | Float64Array = new Float64Array(0);
  let texts: (string | undefined)[] = [];
  let places: { row: number; line: number; offset: number }[] = [];
  let width = 0;
  let step = 0;
  const target: RecordTarget = {
    wanted: [],
    open(header) {
      result.header = header === undefined ? undefined : [...header];
      width = header?.length ?? setup.width ?? 1;
      step = width + (setup.gap ?? 0);
      values = setup.narrow ? new Float32Array(step * capacity) : new Float64Array(step * capacity);
      return {
        width,
        kinds: Uint8Array.from({ length: width }, (_, column) => setup.kind?.(column) ?? CellKind.Text),
        base: Int32Array.from({ length: width }, (_, column) => placeOf(column)),
        step: new Int32Array(width).fill(step),
        values,
      };
    },
    cell(column, slot, cell, start, end): CellFault | undefined {
      const text = cell.toString('utf8', start, end);
      if (text === 'FAULT') return { code: 'Refused', reason: `column ${column}` };
      texts[slot * width + column] = text;
      return undefined;
    },
    kept(slot, row, line, offset) {
      places[slot] = { row, line, offset };
      return slot + 1 >= capacity;
    },
    failed(fault) {
      result.faults.push(fault);
      return result.faults.length % 2 === 0;
    },
  };
  const tokenizer = csvTokenizer({ delimiter: ',', header: false, ...setup }, target);
  const drain = () => {
    for (let slot = 0; slot < tokenizer.slots; slot++) {
      const place = places[slot] as (typeof places)[number];
      const cells = Array.from(
        { length: width },
        (_, c) => texts[slot * width + c] ?? (values[slot * step + placeOf(c)] as number),
      );
      result.records.push({ ...place, cells });
    }
    texts = [];
    places = [];
    tokenizer.clear();
  };
  const size = setup.chunk ?? Math.max(bytes.length, 1);
  const starts =
    setup.cuts ?? Array.from({ length: Math.ceil(bytes.length / size) - 1 }, (_, index) => (index + 1) * size);
  for (const [index, from] of [0, ...starts].entries()) {
    const chunk = bytes.subarray(from, starts[index] ?? bytes.length);
    let offset = 0;
    do {
      offset = tokenizer.push(chunk, offset);
      if (tokenizer.full) drain();
    } while (offset < chunk.length);
  }
  while (!tokenizer.end()) drain();
  drain();
  return result;
}

export const cellsOf = (result: Read) => result.records.map(({ cells }) => cells);
export const decimal = () => CellKind.Decimal;
