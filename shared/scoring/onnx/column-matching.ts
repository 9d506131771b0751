import { quoted } from '../../formats/quoted.ts';
import { FileFault } from '../engine.ts';
import type { ModelColumn } from './model-inputs.ts';

const NAMES_SHOWN = 5;

/**
 * For each column of the file the index of the model's column that it feeds, or -1. By name when the header has all of
 * the names (in any order, more columns allowed); in order when there is no header, or it has none of the names and the
 * right count. Throws FileFault `MissingColumns` or `DuplicateColumn`.
 */
export function matchColumns(columns: readonly ModelColumn[], header: readonly string[] | undefined): Int32Array {
  const inOrder = () => Int32Array.from(columns, (_, index) => index);
  if (header === undefined) return inOrder();

  const places = new Map<string, number[]>();
  header.forEach((cell, place) => {
    const name = cell.trim();
    const known = places.get(name);
    if (known === undefined) places.set(name, [place]);
    else known.push(place);
  });
  const matched = new Int32Array(header.length).fill(-1);
  const missing: ModelColumn[] = [];
  columns.forEach((column, index) => {
    const found = column.name === undefined ? undefined : places.get(column.name.trim());
    if (found === undefined) missing.push(column);
    else if (found.length > 1) throw new FileFault('DuplicateColumn', `The header names ${show(column)} twice.`);
    else matched[found[0] as number] = index;
  });
  if (missing.length === 0) return matched;
  if (missing.length === columns.length) {
    if (header.length === columns.length) return inOrder();
    if (columns.every(({ name }) => name === undefined)) {
      throw new FileFault(
        'MissingColumns',
        `The header has ${header.length} columns; the model takes ${columns.length} and names none of them.`,
      );
    }
  }
  const shown = missing.slice(0, NAMES_SHOWN).map(show).join(', ');
  const more = missing.length > NAMES_SHOWN ? ` and ${missing.length - NAMES_SHOWN} more` : '';
  throw new FileFault('MissingColumns', `The header lacks columns of the model: ${shown}${more}.`);
}

function show({ name }: ModelColumn): string {
  return quoted(name ?? '');
}
