import type { SchemaElement, SchemaTree } from 'hyparquet';
import { FileFault } from './file-fault.ts';
import { quoted } from './quoted.ts';

/** What the values of a column are, beyond their physical type. */
export type ParquetType =
  | { readonly kind: 'boolean' | 'signed' | 'unsigned' | 'float32' | 'float64' | 'float16' | 'text' }
  | { readonly kind: 'decimal'; readonly scale: number };

export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  /** From the root to the column, both stripped of what would make the decoder convert values. */
  readonly schemaPath: SchemaTree[];
  readonly element: SchemaElement;
}

/** The column at a place of the header. Throws FileFault `NestedColumn` or `UnsupportedColumn`. */
export function parquetColumn(root: SchemaTree, place: number): ParquetColumn {
  const column = root.children[place];
  if (column === undefined) throw new FileFault('BadParquet', `The file has no column ${place + 1}.`);
  const { element } = column;
  if (column.children.length > 0 || element.repetition_type === 'REPEATED') {
    throw new FileFault('NestedColumn', `Column ${quoted(element.name)} is nested; only flat columns can be read.`);
  }
  const type = typeOf(element);
  if (type === undefined) {
    const called = element.logical_type?.type ?? element.converted_type ?? element.type ?? 'unknown';
    throw new FileFault(
      'UnsupportedColumn',
      `Column ${quoted(element.name)} is of Parquet's type ${called}; numbers, decimals, booleans and strings can be read.`,
    );
  }
  const { converted_type: _converted, logical_type: _logical, ...physical } = element;
  return { name: element.name, type, element: physical, schemaPath: [root, { ...column, element: physical }] };
}

function typeOf({
  type,
  converted_type: converted,
  logical_type: logical,
  scale,
}: SchemaElement): ParquetType | undefined {
  if (logical?.type === 'DECIMAL') return { kind: 'decimal', scale: logical.scale };
  if (converted === 'DECIMAL') return { kind: 'decimal', scale: scale ?? 0 };
  switch (type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'FLOAT':
      return { kind: 'float32' };
    case 'DOUBLE':
      return { kind: 'float64' };
    case 'INT32':
    case 'INT64':
      if (logical?.type === 'INTEGER') return { kind: logical.isSigned ? 'signed' : 'unsigned' };
      if (logical !== undefined) return undefined;
      if (converted === undefined || converted.startsWith('INT_')) return { kind: 'signed' };
      return converted.startsWith('UINT_') ? { kind: 'unsigned' } : undefined;
    case 'FIXED_LEN_BYTE_ARRAY':
      return logical?.type === 'FLOAT16' ? { kind: 'float16' } : undefined;
    case 'BYTE_ARRAY': {
      const texts: readonly (string | undefined)[] = [undefined, 'STRING', 'UTF8', 'ENUM', 'JSON'];
      return texts.includes(logical?.type) && texts.includes(converted) ? { kind: 'text' } : undefined;
    }
    default:
      return undefined;
  }
}
