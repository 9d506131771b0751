import type { z } from 'zod';
import { sha256 } from '../domain/blocks.ts';
import {
  CodeBody,
  ComponentBody,
  DataBody,
  EnvironmentBody,
  ModelBody,
  type AssetBody,
} from '../domain/asset-bodies.ts';
import { isPipelineDeployment, type DeploymentRecord, type ModelDeployment } from '../domain/deployment-record.ts';
import {
  CodeContent,
  ModelContent,
  type AssetFiles,
  type AssetKindName,
  type AssetRecord,
  type CodeRecord,
  type ModelRecord,
} from '../domain/resources.ts';
import { parseDataUri, type DataAddress, type WorkspaceAddress } from '../domain/uri.ts';
import { assetFile, type FileKind } from '../storage/asset-files.ts';
import type { Blobs } from '../storage/ports.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';
import type { Registry, Versions } from '../storage/registry/resources.ts';
import { copyAssetFiles } from './copy-asset-files.ts';
import { uriRules, type Datastores } from './datastore-source.ts';
import { datastoreOf } from './deps.ts';
import { everyDeployment } from './every-deployment.ts';
import type { Clock } from './ports.ts';

export interface AssetDeps {
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
  readonly registry: Registry;
  readonly datastores: Datastores;
  readonly systemBlobs: Blobs;
  readonly workspace: WorkspaceAddress;
  readonly clock: Clock;
}

/** One kind of versioned asset: everything in which it differs from the others. */
export interface AssetKind<R extends AssetRecord = AssetRecord> {
  readonly kind: AssetKindName;
  /** For error texts. */
  readonly noun: string;
  readonly body: z.ZodType<AssetBody>;
  /** The field of its content that names a place in a datastore. */
  readonly uri?: string;
  versions(registry: Registry): Versions<R>;
  /** The version under which a body is registered, where that is not the one that was asked for. */
  versionFor?(body: AssetBody, content: Readonly<Record<string, unknown>>): string | undefined;
  /** Whether two contents say the same, written in two ways. Throws ApiError 400 for one that says nothing. */
  isSame?(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean;
  /** What versions are found by besides their name; undefined for one that has nothing else. */
  key?(record: AssetRecord): string | undefined;
  /** Makes the record of a new version from its draft and the place that its URI names. Throws ApiError. */
  make(deps: AssetDeps, draft: AssetRecord, place: DataAddress | undefined): R | Promise<R>;
  /** What would break without this version; undefined when nothing would. */
  user?(deps: AssetDeps, record: R): Promise<string | undefined>;
  /** Gives up what `make` took, after the record is gone. */
  release?(deps: AssetDeps, record: R): Promise<void>;
}

const pointer = (
  noun: string,
  kind: Exclude<AssetKindName, FileKind>,
  body: z.ZodType<AssetBody>,
  uri?: string,
): AssetKind => ({
  kind,
  noun,
  body,
  ...(uri !== undefined && { uri }),
  versions: (registry) => registry[kind],
  make: (_deps, draft) => draft,
});

/**
 * Copies the files of a new version into the app's own container, so that no later write to the datastore changes what is
 * scored with.
 */
async function ownFiles(
  deps: AssetDeps,
  kind: FileKind,
  { name, version }: AssetRecord,
  address: DataAddress | undefined,
  target: string,
): Promise<AssetFiles> {
  if (!address) throw new Error(`a version of ${kind} has no place`);
  const { blobs } = await datastoreOf(deps, address.datastore);
  return copyAssetFiles({ address, blobs }, deps.systemBlobs, { kind, name, version, target });
}

/** A deployment that `uses` something, in words for an error text; undefined when there is none. */
async function deploymentThat(
  { registry }: AssetDeps,
  uses: (deployment: DeploymentRecord) => boolean,
): Promise<string | undefined> {
  for await (const deployment of everyDeployment(registry))
    if (uses(deployment)) return `deployment '${deployment.name}' of endpoint '${deployment.endpoint}'`;
  return undefined;
}

const ofModel =
  (uses: (deployment: ModelDeployment) => boolean) =>
  (deployment: DeploymentRecord): boolean =>
    !isPipelineDeployment(deployment) && uses(deployment);

async function removeFiles({ systemBlobs }: AssetDeps, kind: FileKind, record: AssetRecord & AssetFiles) {
  for (const { path } of record.files) await systemBlobs.remove(assetFile(kind, record, path));
}

export const MODELS: AssetKind<ModelRecord> = {
  kind: 'models',
  noun: 'Model',
  body: ModelBody,
  uri: 'modelUri',
  versions: (registry) => registry.models,
  make: async (deps, draft, address) => {
    const files = await ownFiles(deps, 'models', draft, address, 'properties.modelUri');
    return { ...draft, content: ModelContent.parse(draft.content), ...files };
  },
  user: (deps, record) =>
    deploymentThat(
      deps,
      ofModel(({ model }) => isVersion(model, record)),
    ),
  release: (deps, record) => removeFiles(deps, 'models', record),
};

/** The SDK gives code a random name and looks for its hash, under whatever name it was registered before. */
export const CODES: AssetKind<CodeRecord> = {
  kind: 'codes',
  noun: 'Code',
  body: CodeBody,
  uri: 'codeUri',
  versions: (registry) => registry.codes,
  key: ({ properties }) => properties['hash_sha256'] && hashKey(properties['hash_sha256']),
  make: async (deps, draft, address) => {
    const files = await ownFiles(deps, 'codes', draft, address, 'properties.codeUri');
    return { ...draft, content: CodeContent.parse(draft.content), ...files };
  },
  user: (deps, record) =>
    deploymentThat(
      deps,
      ofModel(({ code }) => code !== undefined && isVersion(code, record)),
    ),
  release: (deps, record) => removeFiles(deps, 'codes', record),
};

const versionKey = ({ name, version }: Pick<AssetRecord, 'name' | 'version'>): string =>
  `${name}:${version}`.toLowerCase();

const isVersion = (named: Pick<AssetRecord, 'name' | 'version'>, record: AssetRecord): boolean =>
  versionKey(named) === versionKey(record);

export const DATA = pointer('Data asset', 'data', DataBody, 'dataUri');
export const ENVIRONMENTS: AssetKind = {
  ...pointer('Environment', 'environments', EnvironmentBody),
  user: (deps, record) =>
    deploymentThat(
      deps,
      ofModel(({ environment }) => environment?.toLowerCase() === `azureml:${versionKey(record)}`),
    ),
};
export const COMPONENTS: AssetKind = {
  ...pointer('Component', 'components', ComponentBody),
  user: (deps, record) =>
    deploymentThat(
      deps,
      (deployment) => isPipelineDeployment(deployment) && isVersion(deployment.pipeline.component, record),
    ),
};

/** No name holds a colon, and a key may hold only so much. */
export const hashKey = (hash: string): string => `hash:${sha256(hash)}`;
export const isHashKey = (under: string): boolean => /^hash:[0-9a-f]{64}$/.test(under);
/** The place that a version's URI names; undefined for kinds without one. Throws ApiError 400, 403. */
export async function placeOf(
  { uri }: AssetKind,
  content: Readonly<Record<string, unknown>>,
  deps: AssetDeps,
): Promise<DataAddress | undefined> {
  if (uri === undefined) return undefined;
  return parseDataUri(String(content[uri]), await uriRules(deps), `properties.${uri}`);
}

/** All that a version is indexed by: its name first. */
export const keysOf = (kind: Pick<AssetKind, 'key'>, record: AssetRecord): string[] => {
  const key = kind.key?.(record);
  return key === undefined ? [record.name] : [record.name, key];
};
