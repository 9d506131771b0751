import { decodeText, isInfinity, isMissing, parseBoolean, parseDecimal, parseInteger } from '../../formats/csv-cell.ts';
import { quoted } from '../../formats/quoted.ts';
import { CellKind, type CellFault, type RecordTarget } from '../../formats/record-target.ts';
import type { RecordFailure, ScoringOptions } from '../engine.ts';
import type { BatchMemory } from './batch-memory.ts';
import { matchColumns } from './column-matching.ts';
import type { InputType, ModelColumn } from './model-inputs.ts';

/** Takes the records of one file into a batch's memory; what cannot be fed to the model becomes a failure. */
export interface RecordBatch extends RecordTarget {
  /** Ends a batch: answers its failures. */
  takeFailures(): RecordFailure[];
}

const KINDS: Readonly<Record<InputType, number>> = {
  float32: CellKind.Decimal,
  float64: CellKind.Decimal,
  int64: CellKind.Integer,
  int32: CellKind.Integer,
  bool: CellKind.Text,
  string: CellKind.Text,
};

const MAX_FAILURES = 1024;
/** A batch ends early when its texts are long, so that memory does not grow with them. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

const INTEGER_BITS = { int64: 64, int32: 32 } as const;

export function recordBatch(
  columns: readonly ModelColumn[],
  widths: readonly number[],
  memory: BatchMemory,
  missing: ScoringOptions['missing'],
): RecordBatch {
  let failures: RecordFailure[] = [];
  let textBytes = 0;
  let feeds: readonly (ModelColumn | undefined)[] = [];
  let names: readonly string[] = [];
  let base = new Int32Array(0);
  let step = new Int32Array(0);

  const nameOf = (column: number) => quoted(names[column] ?? feeds[column]?.name ?? String(column + 1));

  function number(column: number, { type }: ModelColumn, place: number, text: string): CellFault | undefined {
    if (isMissing(text)) {
      if (missing === 'nan' && (type === 'float32' || type === 'float64')) {
        memory.values[place] = NaN;
        return undefined;
      }
      return { code: 'MissingValue', reason: `Column ${nameOf(column)} has no value.` };
    }
    const says = () => `Column ${nameOf(column)} has ${quoted(text)}`;
    if (type === 'bool') {
      const value = parseBoolean(text);
      if (value === undefined) return { code: 'NotABoolean', reason: `${says()}, expected true or false.` };
      memory.values[place] = value ? 1 : 0;
      return undefined;
    }
    if (type === 'int64' || type === 'int32') {
      const value = parseInteger(text);
      if (value === undefined) return { code: 'NotAnInteger', reason: `${says()}, expected a whole number.` };
      const bits = INTEGER_BITS[type];
      if (BigInt.asIntN(bits, value) !== value) {
        return { code: 'NotAnInteger', reason: `${says()}, which does not fit in ${bits} bits.` };
      }
      const small = Number(value);
      const exact = Number.isSafeInteger(small);
      memory.values[place] = exact ? small : NaN;
      // A record that failed may have left one in this place.
      if (exact) memory.bigIntegers.delete(place);
      else memory.bigIntegers.set(place, value);
      return undefined;
    }
    const value = parseDecimal(text);
    if (value === undefined) return { code: 'NotANumber', reason: `${says()}, expected a number.` };
    const held = type === 'float32' ? Math.fround(value) : value;
    if (!Number.isFinite(held) && !isInfinity(text))
      return { code: 'NumberOutOfRange', reason: `${says()}, which is too large for the model's ${type}.` };
    memory.values[place] = value;
    return undefined;
  }

  return {
    wanted: columns.map(({ name }) => name),
    open(header) {
      const matched = matchColumns(columns, header);
      names = header ?? [];
      feeds = Array.from(matched, (index) => columns[index]);
      base = Int32Array.from(feeds, (column) => (column ? (memory.bases[column.input] as number) + column.offset : 0));
      step = Int32Array.from(feeds, (column) => (column ? (widths[column.input] as number) : 0));
      const kinds = Uint8Array.from(feeds, (column) => (column ? KINDS[column.type] : CellKind.Skip));
      return { width: matched.length, kinds, base, step, values: memory.values };
    },
    cell(column, slot, bytes, start, end) {
      const feed = feeds[column];
      if (feed === undefined) return undefined;
      const text = decodeText(bytes, start, end);
      if (text === undefined) return { code: 'NotUtf8', reason: `Column ${nameOf(column)} is not UTF-8 text.` };
      const texts = memory.texts[feed.input];
      if (texts !== undefined) {
        texts[feed.offset + slot * (step[column] as number)] = text;
        textBytes += end - start;
        return undefined;
      }
      return number(column, feed, (base[column] as number) + slot * (step[column] as number), text.trim());
    },
    kept(slot, row, line, offset) {
      memory.rows[slot] = row;
      memory.lines[slot] = line;
      memory.offsets[slot] = offset;
      return slot + 1 >= memory.capacity || textBytes >= MAX_TEXT_BYTES;
    },
    failed(fault) {
      failures.push(fault);
      return failures.length >= MAX_FAILURES || textBytes >= MAX_TEXT_BYTES;
    },
    takeFailures() {
      const taken = failures;
      failures = [];
      textBytes = 0;
      return taken;
    },
  };
}
