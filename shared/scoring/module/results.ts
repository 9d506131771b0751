import { inspect } from 'node:util';
import type { CodeOptions } from '../engine.ts';
import { PART_BYTES } from './protocol.ts';
import { rowEncoder } from './row-encoder.ts';

/** `run()` returned something that has no rows. The message is one line that says what to do. */
export class NoRows extends Error {
  constructor(returned: unknown) {
    super(
      `run() returned ${nameOf(returned)}: return a list of rows, or something else to iterate over; an empty list for none.`,
    );
    this.name = 'NoRows';
  }
}

export interface RowsPart {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: string[];
}

/**
 * Hands on what `run()` returned in encoded parts of about PART_BYTES, each when it is full. Answers how many results there were;
 * with `summaryOnly` they are only counted, and the first `files` of them kept as text.
 */
export async function writeResults(
  returned: unknown,
  { options, files }: { readonly options: CodeOptions; readonly files: number },
  emit: (part: RowsPart) => Promise<void>,
): Promise<{ results: number; items: string[] }> {
  const encoder = rowEncoder(options);
  const items: string[] = [];
  let results = 0;
  const flush = async () => {
    const columns = [...encoder.columns];
    await emit({ ...encoder.take(), columns });
  };
  const add = (result: unknown) => {
    results++;
    if (!options.summaryOnly) encoder.add(result);
    else if (items.length < files) items.push(itemText(result));
  };

  if (isAsyncIterable(returned)) {
    for await (const result of returned) {
      add(result);
      if (encoder.length >= PART_BYTES) await flush();
    }
  } else {
    for (const result of await rowsOf(returned)) {
      // As a list's `map` with an async function gives.
      add(result instanceof Promise ? await result : result);
      if (encoder.length >= PART_BYTES) await flush();
    }
  }
  if (encoder.rows > 0) await flush();
  return { results, items };
}

async function rowsOf(returned: unknown): Promise<Iterable<unknown>> {
  if (!isIterable(returned)) throw new NoRows(returned);
  // All at once: a promise that fails while an earlier one is waited for would count as one that nobody hears.
  return Array.isArray(returned) && returned.some((row) => row instanceof Promise) ? Promise.all(returned) : returned;
}

/** Not texts and bytes, whose characters and numbers nobody means by rows. */
const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value && !Buffer.isBuffer(value);

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

const ITEM_CHARACTERS = 1000;

function itemText(result: unknown): string {
  const text = typeof result === 'string' ? result : inspect(result, { breakLength: Infinity });
  return text.slice(0, ITEM_CHARACTERS);
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Buffer.isBuffer(value)) return 'bytes';
  if (typeof value === 'object') return 'an object that is not iterable';
  return `a ${typeof value}`;
}
