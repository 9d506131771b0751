import { z } from 'zod';
import { ScoringSettings } from './settings.ts';

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

export const DeploymentRecord = z.object({
  endpoint: z.string(),
  name: z.string(),
  ...stored,
  model: ModelReference,
  /** The extensions are read from `properties` when a job is made: only what the client set is there. */
  settings: ScoringSettings,
  /** As sent, returned as sent: an ARM id or null. */
  compute: z.string().nullable(),
  environmentId: z.string().nullable(),
  environmentVariables: z.record(z.string(), z.string()),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecord>;

/** A model's files as copied into the app's own container when the version was registered: they cannot change afterwards. */
export const ModelRecord = z.object({
  name: z.string(),
  version: z.string(),
  ...stored,
  modelType: z.string(),
  /** As sent. */
  modelUri: z.string(),
  flavors: z.record(z.string(), z.unknown()),
  files: z.array(z.object({ path: z.string(), length: z.number() })),
});
export type ModelRecord = z.infer<typeof ModelRecord>;
