import { z } from 'zod';
import { sha256 } from './blocks.ts';
import { canonical } from './canonical.ts';

/** The ETag of a resource: of what is stored, so that it is the same wherever the resource is shown. */
export const etagOf = (record: object): string => `"${sha256(canonical(record)).slice(0, 32)}"`;

/** Tags, properties and times that every stored resource has. Times are ISO 8601 in UTC. */
export const stored = {
  description: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  properties: z.record(z.string(), z.string()),
  createdAt: z.string(),
  createdBy: z.string(),
  modifiedAt: z.string(),
};

/** Names are stored as the client wrote them; keys compare them lower-cased (ARM names are case-insensitive). */
export const EndpointRecord = z.object({
  name: z.string(),
  ...stored,
  defaultDeployment: z.string().nullable(),
});
export type EndpointRecord = z.infer<typeof EndpointRecord>;

export const ModelReference = z.object({ name: z.string(), version: z.string() });
export type ModelReference = z.infer<typeof ModelReference>;

/** Kinds of versioned assets, as they are called in paths. */
export const ASSET_KINDS = ['models', 'data', 'environments', 'codes', 'components'] as const;
export type AssetKindName = (typeof ASSET_KINDS)[number];

/** One version of an asset. `content` is what never changes, under its wire names; its kind's body schema checked it. */
export const AssetRecord = z.object({
  name: z.string(),
  version: z.string(),
  ...stored,
  isAnonymous: z.boolean(),
  isArchived: z.boolean(),
  content: z.record(z.string(), z.unknown()),
});
export type AssetRecord = z.infer<typeof AssetRecord>;

/** What all versions of an asset share. Its latest and next version are looked up when they are asked for. */
export const AssetContainerRecord = z.object({
  kind: z.enum(ASSET_KINDS),
  name: z.string(),
  ...stored,
  isArchived: z.boolean(),
  /** Made by an asset that its client did not name; not listed. */
  isAnonymous: z.boolean(),
});
export type AssetContainerRecord = z.infer<typeof AssetContainerRecord>;

export const ModelContent = z.object({
  modelType: z.string(),
  /** As sent. */
  modelUri: z.string(),
  flavors: z.record(z.string(), z.unknown()),
  jobName: z.string().nullable(),
});

/** A version's files as copied into the app's own container when it was registered: they cannot change afterwards. */
const assetFiles = {
  files: z.array(z.object({ path: z.string(), length: z.number() })),
  /** Name of the folder that the files were in; absent for a single file and for a whole container. */
  folder: z.string().optional(),
};
export type AssetFiles = z.infer<z.ZodObject<typeof assetFiles>>;

export const ModelRecord = AssetRecord.extend({ content: ModelContent, ...assetFiles });
export type ModelRecord = z.infer<typeof ModelRecord>;

export const CodeContent = z.object({
  /** As sent. */
  codeUri: z.string(),
});

export const CodeRecord = AssetRecord.extend({ content: CodeContent, ...assetFiles });
export type CodeRecord = z.infer<typeof CodeRecord>;

/** One container of one account. */
export const DatastorePlace = z.object({ account: z.string(), container: z.string() });
export type DatastorePlace = z.infer<typeof DatastorePlace>;

/** What was written about a datastore. One that the app's settings name has no place here: they say where it lies. */
export const DatastoreRecord = z.object({ name: z.string(), ...stored, place: DatastorePlace.optional() });
export type DatastoreRecord = z.infer<typeof DatastoreRecord>;

/** A cluster as a client described it. This app runs on its own instances: of all this only `maxNodeCount` has an effect. */
export const ComputeRecord = z.object({
  name: z.string(),
  ...stored,
  location: z.string(),
  disableLocalAuth: z.boolean(),
  /** The cluster's `properties.properties`, scale settings aside. */
  cluster: z.record(z.string(), z.unknown()),
  scale: z.object({ minNodeCount: z.number(), maxNodeCount: z.number(), nodeIdleTimeBeforeScaleDown: z.string() }),
});
export type ComputeRecord = z.infer<typeof ComputeRecord>;
