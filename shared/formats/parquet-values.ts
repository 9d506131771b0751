import { parseFloat16 } from 'hyparquet/src/convert.js';
import { float32Text, float64Text } from './decimal.ts';
import type { ParquetType } from './parquet-columns.ts';
import { POWERS_OF_TEN } from './plain-number.ts';
import { CellKind, MAX_PLAIN_INTEGER, type CellFault, type RecordLayout, type RecordTarget } from './record-target.ts';

/** Puts one stored value where the record in `slot` has it. Throws Error for a value that its column cannot have. */
export type PutValue = (value: unknown, slot: number) => CellFault | undefined;

const EMPTY = Buffer.alloc(0);

/**
 * What the values of a column mean: a number goes straight to its place where it is exact there; any other value goes to the target
 * as the text that a CSV file would have for it.
 */
export function putter(type: ParquetType, column: number, layout: RecordLayout, target: RecordTarget): PutValue {
  const kind = layout.kinds[column] as number;
  const base = layout.base[column] as number;
  const step = layout.step[column] as number;
  const { values } = layout;

  const bytes = (value: Uint8Array, slot: number) =>
    target.cell(column, slot, Buffer.from(value.buffer, value.byteOffset, value.length), 0, value.length);
  function text(value: string, slot: number): CellFault | undefined {
    const encoded = Buffer.from(value);
    return target.cell(column, slot, encoded, 0, encoded.length);
  }
  function integer(value: number | bigint, slot: number): CellFault | undefined {
    const small = Number(value);
    const plain = kind === CellKind.Decimal || (kind === CellKind.Integer && Math.abs(small) <= MAX_PLAIN_INTEGER);
    if (!plain) return text(String(value), slot);
    values[base + slot * step] = small;
    return undefined;
  }
  function float(value: number, slot: number, textOf: (value: number) => string): CellFault | undefined {
    const fits =
      kind === CellKind.Decimal
        ? !Number.isNaN(value)
        : kind === CellKind.Integer && Number.isInteger(value) && Math.abs(value) <= MAX_PLAIN_INTEGER;
    if (!fits) return text(textOf(value), slot);
    values[base + slot * step] = value;
    return undefined;
  }
  function decimal(unscaled: bigint, scale: number, slot: number): CellFault | undefined {
    const mantissa = Number(unscaled);
    if (kind !== CellKind.Decimal || !Number.isSafeInteger(mantissa) || scale < 0 || scale > 22) {
      return text(decimalText(unscaled, scale), slot);
    }
    values[base + slot * step] = mantissa / (POWERS_OF_TEN[scale] as number);
    return undefined;
  }

  function put(value: unknown, slot: number): CellFault | undefined {
    switch (type.kind) {
      case 'boolean':
        if (typeof value === 'boolean') return text(value ? 'true' : 'false', slot);
        break;
      case 'signed':
        if (typeof value === 'number' || typeof value === 'bigint') return integer(value, slot);
        break;
      case 'unsigned':
        if (typeof value === 'number') return integer(value >>> 0, slot);
        if (typeof value === 'bigint') return integer(BigInt.asUintN(64, value), slot);
        break;
      case 'float64':
        if (typeof value === 'number') return float(value, slot, float64Text);
        break;
      case 'float32':
        if (typeof value === 'number') return float(value, slot, float32Text);
        break;
      case 'float16':
        if (value instanceof Uint8Array) return float(parseFloat16(value) ?? NaN, slot, float32Text);
        break;
      case 'decimal':
        if (typeof value === 'number' || typeof value === 'bigint') return decimal(BigInt(value), type.scale, slot);
        if (value instanceof Uint8Array) return decimal(bigEndian(value), type.scale, slot);
        break;
      case 'text':
        if (value instanceof Uint8Array) return bytes(value, slot);
    }
    throw new Error(`a value is ${typeof value}`);
  }

  return (value, slot) =>
    value === null || value === undefined ? target.cell(column, slot, EMPTY, 0, 0) : put(value, slot);
}

/** A signed integer, most significant byte first. */
function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/** `-0.05` for -5 with scale 2. */
function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
