import { z } from 'zod';
import { sha256 } from './blocks.ts';
import { canonical } from './canonical.ts';
import { ScoringSettings } from './settings.ts';

/** The ETag of a resource: of what is stored, so that it is the same wherever the resource is shown. */
export const etagOf = (record: object): string => `"${sha256(canonical(record)).slice(0, 32)}"`;

/** Tags, properties and times that every stored resource has. Times are ISO 8601 in UTC. */
const stored = {
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

/** A scoring script: the code asset's id and the file in it. */
export const CodeConfiguration = z.object({ codeId: z.string().nullable(), scoringScript: z.string() });

export const DeploymentRecord = z.object({
  endpoint: z.string(),
  name: z.string(),
  ...stored,
  model: ModelReference,
  /** The extensions are read from `properties` when a job is made: only what the client set is there. */
  settings: ScoringSettings,
  /** As sent, returned as sent: an ARM id or null. */
  compute: z.string().nullable(),
  codeConfiguration: CodeConfiguration.nullable(),
  environmentId: z.string().nullable(),
  environmentVariables: z.record(z.string(), z.string()),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecord>;

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

/** A model's files as copied into the app's own container when the version was registered: they cannot change afterwards. */
export const ModelRecord = AssetRecord.extend({
  content: ModelContent,
  files: z.array(z.object({ path: z.string(), length: z.number() })),
});
export type ModelRecord = z.infer<typeof ModelRecord>;

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
