import { Cron } from 'croner';

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on; any beginning of one stands for it, in any case. */
  readonly values?: readonly string[];
}

const months = 'january february march april may june july august september october november december'.split(' ');
const days = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

const fields: readonly Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, values: months },
  { name: 'day of week', min: 0, max: 6, values: days },
];

/**
 * Reads an NCRONTAB expression of six fields, seconds first. Its grammar is NCrontab's own (a reversed range is turned
 * round, `5/15` runs to the field's end, a step may exceed the field, names may be cut short; no `L`, `W`, `#`, `?`), so it
 * is read here into plain lists; the calendar and daylight saving are the cron library's. Day and day of week must
 * both match. Undefined when it is no such expression.
 */
export function parseNcrontab(expression: string): Cron | undefined {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== fields.length) return undefined;
  const lists = fields.map((field, i) => listOf(texts[i] ?? '', field));
  if (lists.includes(undefined)) return undefined;
  return new Cron(lists.join(' '), { mode: '6-part', domAndDow: true, paused: true });
}

/** The values of a field as a list for the library; `*` for all. */
function listOf(text: string, field: Field): string | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const range = rangeOf(part, field);
    if (range === undefined) return undefined;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values.size === field.max - field.min + 1 ? '*' : [...values].join(',');
}

function rangeOf(part: string, field: Field): { from: number; to: number; step: number } | undefined {
  const match = /^(?:(\*)|([^/-]+)(?:-([^/-]+))?)(?:\/(\d+))?$/.exec(part);
  if (match === null) return undefined;
  const [, all, first, last, every] = match;
  const step = Math.max(Number(every ?? 1), 1);
  if (all !== undefined) return { from: field.min, to: field.max, step };
  const from = valueOf(first ?? '', field);
  const to = last === undefined ? (every === undefined ? from : field.max) : valueOf(last, field);
  if (from === undefined || to === undefined) return undefined;
  return { from: Math.min(from, to), to: Math.max(from, to), step };
}

function valueOf(text: string, { min, max, values = [] }: Field): number | undefined {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    return value >= min && value <= max ? value : undefined;
  }
  const index = values.findIndex((value) => value.startsWith(text.toLowerCase()));
  return index < 0 ? undefined : index + min;
}
