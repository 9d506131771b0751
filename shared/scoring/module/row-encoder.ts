import { float32Text, float64Text } from '../../formats/decimal.ts';
import { quoteCell } from '../../formats/csv-encoder.ts';
import { quoted } from '../../formats/quoted.ts';
import type { CodeOptions } from '../engine.ts';
import type { NumberList } from './scoring-module.ts';

/** A result of `run()` that cannot be written. The message is one line that says what to do. */
export class RowFault extends Error {
  constructor(index: number, reason: string) {
    super(`Result [${index}] of run() ${reason}`);
    this.name = 'RowFault';
  }
}

export interface RowEncoder {
  /** Known with the first row. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** Characters that wait to be taken. */
  readonly length: number;
  /** Throws RowFault. */
  add(row: unknown): void;
  /** Whole records, and an empty encoder with the same columns. */
  take(): { readonly bytes: Uint8Array; readonly rows: number };
}

type Row =
  | { readonly shape: 'value'; readonly value: unknown }
  | { readonly shape: 'list'; readonly values: readonly unknown[] }
  | { readonly shape: 'object'; readonly object: object };

interface Layout {
  readonly shape: Row['shape'];
  readonly columns: readonly string[];
}

/** Encodes the rows of one mini-batch. The first row tells what all of them look like. */
export function rowEncoder({
  outputFormat: format,
  outputColumns,
}: Pick<CodeOptions, 'outputFormat' | 'outputColumns'>): RowEncoder {
  const separator = format === 'csv' ? ',' : ' ';
  let layout: Layout | undefined;
  let index = -1;
  let rows = 0;
  let text = '';

  function listCells(values: readonly unknown[], columns: readonly string[]): readonly unknown[] {
    if (values.length === columns.length) return values;
    const expected = outputColumns === undefined ? 'result [0] has' : 'outputColumns names';
    throw new RowFault(
      index,
      `has ${values.length} values, ${expected} ${columns.length}: return lists of one length.`,
    );
  }

  function objectCells(object: object, columns: readonly string[]): readonly unknown[] {
    const keys = Object.keys(object);
    if (keys.length === columns.length && keys.every((key, at) => key === columns[at])) return Object.values(object);
    const values = new Map<string, unknown>(Object.entries(object));
    if (outputColumns === undefined) {
      const missing = columns.find((column) => !values.has(column));
      if (missing !== undefined) throw otherKeys(`has no key ${quoted(missing)}, which result [0] has`);
      const strange = keys.find((key) => !columns.includes(key));
      if (strange !== undefined) throw otherKeys(`has the key ${quoted(strange)}, which result [0] does not have`);
    }
    return columns.map((column) => values.get(column));
  }

  const otherKeys = (reason: string) =>
    new RowFault(index, `${reason}: return objects with the same keys, or set outputColumns.`);

  function cell(value: unknown, where: string): string {
    const cellText = textOf(value);
    if (cellText === undefined) throw new RowFault(index, `${where} ${describe(value)}`);
    return cellText;
  }

  function record(row: Row, columns: readonly string[]): string {
    if (row.shape === 'value') {
      const value = cell(row.value, 'is');
      // Azure ML writes `str(item)`, unquoted.
      return format === 'azureml' ? value : quoteCell(value, format);
    }
    const values = row.shape === 'list' ? listCells(row.values, columns) : objectCells(row.object, columns);
    return values
      .map((value, at) => quoteCell(cell(value, `holds in column ${quoted(columns[at] ?? '')}`), format))
      .join(separator);
  }

  return {
    get columns() {
      return layout?.columns ?? [];
    },
    get rows() {
      return rows;
    },
    get length() {
      return text.length;
    },
    add(result) {
      index++;
      const row = rowOf(result);
      layout ??= { shape: row.shape, columns: columnsOf(row, outputColumns) };
      if (row.shape !== layout.shape) {
        const kinds = `is ${NAMES[row.shape]} and result [0] is ${NAMES[layout.shape]}`;
        throw new RowFault(index, `${kinds}: return rows of one kind.`);
      }
      // A record must not be an empty line, which readers skip.
      text += `${record(row, layout.columns) || '""'}\n`;
      rows++;
    },
    take() {
      const taken = { bytes: Buffer.from(text), rows };
      text = '';
      rows = 0;
      return taken;
    },
  };
}

const NAMES: Readonly<Record<Row['shape'], string>> = { value: 'a value', list: 'a list', object: 'an object' };

function rowOf(result: unknown): Row {
  if (typeof result !== 'object' || result === null || result instanceof Date || isBytes(result))
    return { shape: 'value', value: result };
  if (Array.isArray(result)) return { shape: 'list', values: result };
  if (isNumberList(result)) return { shape: 'list', values: Array.from<unknown>(cellsOf(result)) };
  return { shape: 'object', object: result };
}

/** As float32 numbers read, and not as the doubles that they become. */
function cellsOf(numbers: NumberList): Iterable<unknown> {
  if (!(numbers instanceof Float32Array)) return numbers;
  return Array.from(numbers, (value) => (Number.isNaN(value) ? null : float32Text(value)));
}

function columnsOf(row: Row, outputColumns: readonly string[] | undefined): readonly string[] {
  if (row.shape === 'value') {
    if (outputColumns === undefined) return ['prediction'];
    if (outputColumns.length === 1) return outputColumns;
    throw new RowFault(
      0,
      `is a value, and outputColumns names ${outputColumns.length} columns: return lists or objects.`,
    );
  }
  if (outputColumns !== undefined) return outputColumns;
  const columns = row.shape === 'list' ? row.values.map((_, at) => `${at}`) : Object.keys(row.object);
  if (columns.length > 0) return columns;
  throw new RowFault(0, `is ${NAMES[row.shape]} without values: a row needs at least one.`);
}

/** undefined for what a cell cannot hold. */
function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return Number.isNaN(value) ? '' : float64Text(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return '';
    case 'object':
      if (value === null) return '';
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined;
    case 'function':
    case 'symbol':
      return undefined;
  }
}

const isBytes = (value: object): boolean =>
  Buffer.isBuffer(value) ||
  value instanceof ArrayBuffer ||
  value instanceof SharedArrayBuffer ||
  value instanceof DataView;

const isNumberList = (value: object): value is NumberList => ArrayBuffer.isView(value) && !isBytes(value);

/** What it is, and what to do instead. */
function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function: return its value.';
  if (typeof value !== 'object' || value === null) return 'a symbol: return its description.';
  if (value instanceof Date) return 'an invalid date: return null for no date.';
  if (isBytes(value)) return "bytes: return text, as by toString('base64'), or write a file into context.outputFolder.";
  const kind = Array.isArray(value) || ArrayBuffer.isView(value) ? 'a list' : 'an object';
  return `${kind}: return its values as columns of their own, or as text by JSON.stringify.`;
}
