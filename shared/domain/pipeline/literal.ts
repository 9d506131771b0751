import type { LiteralPort, LiteralType } from './model.ts';

/**
 * Literals travel as texts (the client sends `"True"`, `"5"`), as JSON values, and as YAML's own: a command gets one form of
 * each, Python's. Booleans are `True` and `False`, integers have no fraction, numbers stay as the client wrote them.
 */

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^([+-]?\d+)(\.0*)?$/;

/** A text reaches a command through its environment, which Linux ends at 128 KiB for one variable. */
const MAX_BYTES = 32_768;

export type Read = { readonly text: string } | { readonly fault: string };

const shown = (text: string): string => (text.length > 80 ? `'${text.slice(0, 80)}…'` : `'${text}'`);

/** A value as JSON or YAML has it, as a text; a large number without `1e+21`. Undefined for what is no literal. */
export const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
};

/** The text that a command gets of a value of a declared type, or why the value is none. */
export function readLiteral(type: LiteralType | 'any', value: unknown): Read {
  const text = textOf(value);
  if (text === undefined) return { fault: 'must be a text, a number, true or false' };
  if (text.includes('\0')) return { fault: 'may not hold the character NUL, which no command can be given' };
  if (Buffer.byteLength(text) > MAX_BYTES) return { fault: `may have at most ${MAX_BYTES} bytes; give a file instead` };
  if (type === 'any' || type === 'string') return { text };
  const trimmed = text.trim();
  if (type === 'boolean') {
    const lower = trimmed.toLowerCase();
    return lower === 'true' || lower === 'false'
      ? { text: lower === 'true' ? 'True' : 'False' }
      : { fault: `must be true or false, not ${shown(text)}` };
  }
  if (type === 'integer') {
    const whole = INTEGER.exec(trimmed)?.[1];
    return whole === undefined ? { fault: `must be a whole number, not ${shown(text)}` } : { text: whole };
  }
  return NUMBER.test(trimmed) ? { text: trimmed } : { fault: `must be a number, not ${shown(text)}` };
}

/** Reads a value for a port: its type, then `enum`, `min` and `max`. */
export function readForPort(port: LiteralPort, value: unknown): Read {
  const read = readLiteral(port.type, value);
  if ('fault' in read) return read;
  const numeric = port.type === 'number' || port.type === 'integer';
  const same = (one: string) => (numeric ? Number(one) === Number(read.text) : one === read.text);
  if (port.enum !== undefined && !port.enum.some(same))
    return { fault: `must be one of ${port.enum.join(', ')}, not ${shown(read.text)}` };
  if (port.min !== undefined && Number(read.text) < port.min)
    return { fault: `must be at least ${port.min}, not ${read.text}` };
  if (port.max !== undefined && Number(read.text) > port.max)
    return { fault: `must be at most ${port.max}, not ${read.text}` };
  return read;
}

/** True when every value of one type can be read as the other. What is `any` is looked at when its value is known. */
export const fitsLiteral = (from: LiteralPort['type'], into: LiteralPort['type']): boolean =>
  from === into || from === 'any' || into === 'any' || into === 'string' || (from === 'integer' && into === 'number');
