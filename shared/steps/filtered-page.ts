import type { PageOfRecords } from '../storage/registry/collection.ts';

/** Reads of one answer; a list that hides more than this in a row answers a short page that goes on. */
const MAX_READS = 10;

/** A page of the records that are kept, filled from as many pages as it takes. */
export async function filteredPage<T>(
  read: (limit: number, continuation: string | undefined) => Promise<PageOfRecords<T>>,
  keep: (record: T) => boolean,
  limit: number,
  continuation: string | undefined,
): Promise<PageOfRecords<T>> {
  const records: T[] = [];
  let next = continuation;
  for (let reads = 0; reads < MAX_READS; reads++) {
    const page = await read(limit - records.length, next);
    records.push(...page.records.filter(keep));
    next = page.continuation;
    if (next === undefined || records.length >= limit) break;
  }
  return { records, ...(next !== undefined && { continuation: next }) };
}
