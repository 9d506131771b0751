import type { z } from 'zod';
import type { Table, TableKey } from '../ports.ts';
import { isConflict, StorageFault } from '../ports.ts';
import type { Documents } from './documents.ts';
import type { Versioned } from './jobs-port.ts';

export interface PageOfRecords<T> {
  readonly records: readonly T[];
  readonly continuation?: string;
}

/** Resources of one kind. `Name` names one of them, `Parent` those that are listed together. Names match in any case. */
export interface Collection<T, Name extends readonly string[], Parent extends readonly string[]> {
  /** Undefined also for a name that no resource can have. */
  get(...name: Name): Promise<Versioned<T> | undefined>;
  /** Undefined when the name is taken. */
  create(record: T): Promise<Versioned<T> | undefined>;
  /** Undefined when it changed since the ETag was read, or is gone. */
  replace(record: T, etag: string): Promise<Versioned<T> | undefined>;
  /** False when it changed since the ETag was read, or is gone. */
  remove(record: T, etag: string): Promise<boolean>;
  /** In name order. */
  list(parent: Parent, limit: number, continuation?: string): Promise<PageOfRecords<T>>;
}

/** Where records lie: undefined for names that no record can have. */
export interface Keys<T, Name extends readonly string[], Parent extends readonly string[]> {
  partition(...parent: Parent): string | undefined;
  key(...name: Name): TableKey | undefined;
  nameOf(record: T): Name;
}

/** Records of one schema as rows of a table with their documents behind them. */
export function collection<Schema extends z.ZodType, Name extends readonly string[], Parent extends readonly string[]>(
  table: Table,
  store: Documents,
  schema: Schema,
  keys: Keys<z.infer<Schema>, Name, Parent>,
): Collection<z.infer<Schema>, Name, Parent> {
  type T = z.infer<Schema>;

  const keyOf = (record: T): TableKey => {
    const key = keys.key(...keys.nameOf(record));
    if (!key) throw new Error(`not a resource name: ${JSON.stringify(keys.nameOf(record))}`);
    return key;
  };

  return {
    async get(...name) {
      const key = keys.key(...name);
      const row = key && (await table.get(key));
      return row && { value: await store.unpack(row, schema), etag: row.etag };
    },

    async create(record) {
      const values = await store.pack(record);
      const written = await unlessOvertaken(() => table.insert(keyOf(record), values));
      return written && { value: record, etag: written.etag };
    },

    async replace(record, etag) {
      const values = await store.pack(record);
      const written = await unlessOvertaken(() => table.replace(keyOf(record), values, etag));
      return written && { value: record, etag: written.etag };
    },

    async remove(record, etag) {
      const removed = await unlessOvertaken(async () => {
        await table.remove(keyOf(record), etag);
        return true;
      });
      return removed ?? false;
    },

    async list(parent, limit, continuation) {
      const partition = keys.partition(...parent);
      if (partition === undefined) return { records: [] };
      const page = await table.query(partition, { limit, ...(continuation !== undefined && { continuation }) });
      return {
        records: await Promise.all(page.rows.map((row) => store.unpack(row, schema))),
        ...(page.continuation !== undefined && { continuation: page.continuation }),
      };
    },
  };
}

/** Undefined when somebody else was first: the row is there, has changed, or is gone. */
async function unlessOvertaken<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isConflict(error) || (error instanceof StorageFault && error.code === 'ResourceNotFound')) return undefined;
    throw error;
  }
}

/** Everything under a parent, page after page. */
export async function* allRecords<T, Name extends readonly string[], Parent extends readonly string[]>(
  records: Collection<T, Name, Parent>,
  parent: Parent,
): AsyncGenerator<T, void, undefined> {
  let continuation: string | undefined;
  do {
    const page = await records.list(parent, 1000, continuation);
    yield* page.records;
    continuation = page.continuation;
  } while (continuation !== undefined);
}
