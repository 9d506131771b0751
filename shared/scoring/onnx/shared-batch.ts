import type { BatchMemory } from './batch-memory.ts';

/** The numbers of a batch in memory that two threads see. One of them writes, then the other reads. */
export type SharedBatch = Pick<BatchMemory, 'values' | 'rows' | 'lines' | 'offsets'>;

/** What else is in a batch: it travels in messages. */
export type BatchRest = Pick<BatchMemory, 'texts' | 'bigIntegers'>;

/** Room for any batch of `memory`. */
export function sharedBatch({ values, rows, lines, offsets }: BatchMemory): SharedBatch {
  const wide = ({ length }: Float64Array) => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    values: values instanceof Float32Array ? new Float32Array(new SharedArrayBuffer(values.length * 4)) : wide(values),
    rows: wide(rows),
    lines: wide(lines),
    offsets: wide(offsets),
  };
}

/** Copies the first `records` slots of `memory`; what is returned is a copy too. */
export function writeBatch(memory: BatchMemory, to: SharedBatch, records: number): BatchRest {
  copyNumbers(memory, to, records);
  return {
    texts: memory.texts.map((texts) => texts?.slice(0, (texts.length / memory.capacity) * records)),
    bigIntegers: new Map(memory.bigIntegers),
  };
}

/** The other way round: `memory` is as it was when the batch was written. */
export function readBatch(from: SharedBatch, rest: BatchRest, memory: BatchMemory, records: number): void {
  copyNumbers(from, memory, records);
  rest.texts.forEach((texts, input) => {
    const own = memory.texts[input];
    texts?.forEach((text, place) => own && (own[place] = text));
  });
  memory.bigIntegers.clear();
  for (const [place, value] of rest.bigIntegers) memory.bigIntegers.set(place, value);
}

function copyNumbers(from: SharedBatch, to: SharedBatch, records: number): void {
  // Whole: where there are several inputs, the numbers of a few records lie all over it.
  to.values.set(from.values);
  to.rows.set(from.rows.subarray(0, records));
  to.lines.set(from.lines.subarray(0, records));
  to.offsets.set(from.offsets.subarray(0, records));
}
