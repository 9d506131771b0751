import type { Blobs, Table } from '../../shared/storage/ports.ts';

export interface CountedStorage {
  readonly table: Table;
  readonly blobs: Blobs;
  /** Requests of each kind since the last time that was asked. */
  counts(): Readonly<Record<string, number>>;
}

/** A table and blobs whose reads are counted. */
export function countedStorage({ table, blobs }: Pick<CountedStorage, 'table' | 'blobs'>): CountedStorage {
  let counts: Record<string, number> = {};
  const count = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  return {
    table: {
      ...table,
      get: (key) => (count('row'), table.get(key)),
      query: (partition, options) => (count('rows'), table.query(partition, options)),
    },
    blobs: {
      ...blobs,
      read: (ref, options) => (count('blob'), blobs.read(ref, options)),
      head: (ref) => (count('blob'), blobs.head(ref)),
    },
    counts() {
      const past = counts;
      counts = {};
      return past;
    },
  };
}
