import {
  isAssetName,
  isAssetVersion,
  isComputeName,
  isDatastoreName,
  isEndpointName,
} from '../../domain/management-names.ts';
import { DeploymentRecord } from '../../domain/deployment-record.ts';
import {
  AssetContainerRecord,
  AssetRecord,
  CodeRecord,
  ComputeRecord,
  DatastoreRecord,
  EndpointRecord,
  ModelRecord,
  type AssetKindName,
} from '../../domain/resources.ts';
import type { Blobs, Table } from '../ports.ts';
import { collection, type Collection, type Keys } from './collection.ts';
import { documents } from './documents.ts';
import { versionIndex, type VersionIndex } from './version-index.ts';
import { watchIndex, type Watches } from './watches.ts';

/** Versions of one kind of asset, listed by the name that they share. */
export type Versions<R extends AssetRecord = AssetRecord> = Collection<
  R,
  readonly [name: string, version: string],
  readonly [name: string]
>;

type Named<R> = Collection<R, readonly [name: string], readonly []>;

/** The resources of this app, and indexes of versions by time and of what deployments watch. */
export interface Registry {
  readonly endpoints: Named<EndpointRecord>;
  readonly deployments: Collection<
    DeploymentRecord,
    readonly [endpoint: string, deployment: string],
    readonly [endpoint: string]
  >;
  readonly models: Versions<ModelRecord>;
  readonly data: Versions;
  readonly environments: Versions;
  readonly codes: Versions<CodeRecord>;
  readonly components: Versions;
  readonly containers: Collection<
    AssetContainerRecord,
    readonly [kind: AssetKindName, name: string],
    readonly [kind: AssetKindName]
  >;
  readonly versionIndex: VersionIndex;
  readonly datastores: Named<DatastoreRecord>;
  readonly computes: Named<ComputeRecord>;
  readonly watches: Watches;
}

/** Resources over one table (keys: lower-cased, schema-checked names, S3.1) and the app's own blobs for large documents. */
export function resourceRegistry({ table, blobs }: { readonly table: Table; readonly blobs: Blobs }): Registry {
  const store = documents(blobs);
  const versionKeys = (kind: AssetKindName) => ({
    ...below(`${kind}|`, isAssetName, isAssetVersion),
    nameOf: ({ name, version }: AssetRecord) => [name, version] as const,
  });
  const versions = (kind: AssetKindName): Versions => collection(table, store, AssetRecord, versionKeys(kind));
  return {
    endpoints: collection(table, store, EndpointRecord, named('endpoints|', isEndpointName)),
    deployments: collection(table, store, DeploymentRecord, {
      ...below('deployments|', isEndpointName, isEndpointName),
      nameOf: ({ endpoint, name }) => [endpoint, name] as const,
    }),
    models: collection(table, store, ModelRecord, versionKeys('models')),
    data: versions('data'),
    environments: versions('environments'),
    codes: collection(table, store, CodeRecord, versionKeys('codes')),
    components: versions('components'),
    containers: collection(table, store, AssetContainerRecord, {
      partition: (kind: AssetKindName) => `containers|${kind}`,
      key: (kind: AssetKindName, name: string) =>
        isAssetName(name) ? { partition: `containers|${kind}`, row: name.toLowerCase() } : undefined,
      nameOf: ({ kind, name }) => [kind, name] as const,
    }),
    versionIndex: versionIndex(table),
    datastores: collection(table, store, DatastoreRecord, named('datastores|', isDatastoreName)),
    computes: collection(table, store, ComputeRecord, named('computes|', isComputeName)),
    watches: watchIndex(table),
  };
}

/** Every partition here holds a `|`, which no job's name can: jobs may live in the same table. */
function named(
  partition: `${string}|`,
  isName: (name: string) => boolean,
): Keys<{ name: string }, readonly [string], readonly []> {
  return {
    partition: () => partition,
    key: (name) => (isName(name) ? { partition, row: name.toLowerCase() } : undefined),
    nameOf: ({ name }) => [name] as const,
  };
}

/** Resources that are listed by the one that they belong to. */
function below(prefix: `${string}|`, isParent: (name: string) => boolean, isName: (name: string) => boolean) {
  const partition = (parent: string) => (isParent(parent) ? `${prefix}${parent.toLowerCase()}` : undefined);
  return {
    partition,
    key: (parent: string, name: string) => {
      const found = partition(parent);
      return found !== undefined && isName(name) ? { partition: found, row: name.toLowerCase() } : undefined;
    },
  };
}
