import type { z } from 'zod';
import { isEndpointName, isModelName, isModelVersion } from '../../domain/management-names.ts';
import { DeploymentRecord, EndpointRecord, ModelRecord } from '../../domain/resources.ts';
import type { Blobs, Table, TableKey } from '../ports.ts';
import { isConflict, StorageFault } from '../ports.ts';
import { documents, type Documents } from './documents.ts';
import type { Versioned } from './jobs-port.ts';
import { watchIndex, type Watches } from './watches.ts';

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

/** The resources of this app: endpoints, their deployments, and model versions; and an index of what deployments watch. */
export interface Registry {
  readonly endpoints: Collection<EndpointRecord, readonly [endpoint: string], readonly []>;
  readonly deployments: Collection<
    DeploymentRecord,
    readonly [endpoint: string, deployment: string],
    readonly [endpoint: string]
  >;
  readonly models: Collection<ModelRecord, readonly [model: string, version: string], readonly [model: string]>;
  readonly watches: Watches;
}

/** Resources over one table (keys: lower-cased, schema-checked names, S3.1) and the app's own blobs for large documents. */
export function resourceRegistry({ table, blobs }: { readonly table: Table; readonly blobs: Blobs }): Registry {
  const store = documents(blobs);
  return {
    endpoints: collection(table, store, EndpointRecord, {
      partition: () => ENDPOINTS,
      key: (name) => (isEndpointName(name) ? { partition: ENDPOINTS, row: name.toLowerCase() } : undefined),
      nameOf: ({ name }) => [name] as const,
    }),
    deployments: collection(table, store, DeploymentRecord, {
      partition: (endpoint) => deploymentsOf(endpoint),
      key: (endpoint, name) => {
        const partition = deploymentsOf(endpoint);
        return partition !== undefined && isEndpointName(name) ? { partition, row: name.toLowerCase() } : undefined;
      },
      nameOf: ({ endpoint, name }) => [endpoint, name] as const,
    }),
    models: collection(table, store, ModelRecord, {
      partition: (name) => versionsOf(name),
      key: (name, version) => {
        const partition = versionsOf(name);
        return partition !== undefined && isModelVersion(version)
          ? { partition, row: version.toLowerCase() }
          : undefined;
      },
      nameOf: ({ name, version }) => [name, version] as const,
    }),
    watches: watchIndex(table),
  };
}

/** Every partition here holds a `|`, which no job's name can: jobs may live in the same table. */
const ENDPOINTS = 'endpoints|';

const deploymentsOf = (endpoint: string): string | undefined =>
  isEndpointName(endpoint) ? `deployments|${endpoint.toLowerCase()}` : undefined;

const versionsOf = (model: string): string | undefined =>
  isModelName(model) ? `models|${model.toLowerCase()}` : undefined;

interface Keys<T, Name extends readonly string[], Parent extends readonly string[]> {
  partition(...parent: Parent): string | undefined;
  key(...name: Name): TableKey | undefined;
  nameOf(record: T): Name;
}

function collection<Schema extends z.ZodType, Name extends readonly string[], Parent extends readonly string[]>(
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
