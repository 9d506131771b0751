import { z } from 'zod';
import type { Caller } from '../auth/caller.ts';
import { namesDataAsset } from '../domain/asset-reference.ts';
import { badRequest } from '../domain/errors.ts';
import type { Invocation } from '../domain/invocation.ts';
import type { JobSpec } from '../domain/job.ts';
import { parseJobOutput } from '../domain/job-output-uri.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { DATA } from './asset-kinds.ts';
import { jobOutputPlace } from './job-output-place.ts';
import { uriRules, type Datastores, type RulesDeps } from './datastore-source.ts';
import { dataOf } from './deployment-data.ts';
import { referencedVersion } from './referenced-version.ts';
import { usablePlace, type DataUser } from './usable-place.ts';

export interface PlaceDeps {
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
  readonly registry: Registry;
  readonly workspace: WorkspaceAddress;
  readonly datastores: Datastores;
}

/**
 * The input of a job: a place in a datastore, the output of an earlier job, or a data asset, whose version and place are those
 * of now. A data asset says itself whether it is a file or a folder. Throws ApiError 400, 403.
 */
export async function jobInput(
  deps: PlaceDeps,
  asked: Invocation['inputData'],
  user: DataUser,
): Promise<JobSpec['input']> {
  const target = `properties.inputData.${asked.name}.uri`;
  const { kind, source, ownFolders } = await sourceOf(deps, asked, user, target);
  const extent = kind === 'UriFolder' ? ('folder' as const) : ('file' as const);
  const place = { uri: source ?? asked.uri, asked: asked.uri, extent, ...(ownFolders && { ownFolders }) };
  const { path } = await usablePlace(deps, { access: 'read', ...place }, user, target);
  if (kind === 'UriFile' && isFolder(path))
    throw badRequest('An input of type UriFile must name a file; use UriFolder for a folder.', target);
  return { ...asked, kind, ...(source !== undefined && { source }) };
}

/** Where an input lies that is named by what it is; a place is its own source. */
async function sourceOf(
  deps: PlaceDeps,
  { uri, kind }: Invocation['inputData'],
  { caller }: DataUser,
  target: string,
): Promise<{ kind: JobSpec['input']['kind']; source?: string; ownFolders?: readonly string[] }> {
  if (namesDataAsset(uri)) {
    const found = await dataAsset(deps, uri, target);
    return { kind: found.type === 'uri_file' ? 'UriFile' : 'UriFolder', source: found.uri };
  }
  const output = parseJobOutput(uri);
  if (!output) return { kind };
  const found = await jobOutputPlace(deps, output, caller, target);
  return { kind, source: found.uri, ownFolders: found.ownFolders };
}

/** A data asset's content, as far as a job needs it. */
const DataContent = z.object({ dataType: z.enum(['uri_file', 'uri_folder']), dataUri: z.string() });

/** Where a data asset lies, and what it says it is. Throws ApiError 400. */
export async function dataAsset(deps: PlaceDeps, text: string, target: string) {
  const found = await referencedVersion(deps, DATA, text, target);
  const { dataType, dataUri } = DataContent.parse(found.content);
  return { name: `${found.name}:${found.version}`, type: dataType, uri: dataUri };
}

/** Throws ApiError 400, 403 for an output that cannot be. Its errors file, and what code writes, lie in its folder. */
export async function checkOutput(deps: RulesDeps, outputData: JobSpec['output'], user: DataUser): Promise<void> {
  if (!outputData) return;
  const target = `properties.outputData.${outputData.name}.uri`;
  const { uri, kind } = outputData;
  const extent = kind === 'UriFolder' ? 'folder' : 'beside';
  const { path } = await usablePlace(deps, { access: 'write', uri, extent }, user, target);
  if (outputData.kind === 'UriFile' && isFolder(path))
    throw badRequest('An output of type UriFile must name a file; use UriFolder for a folder.', target);
  if (path.length > MAX_OUTPUT_PATH)
    throw badRequest(`An output path may have at most ${MAX_OUTPUT_PATH} characters.`, target);
}

/** Throws ApiError 403 when the caller may not write any more where a job's output is to go. */
export async function checkSalvage(
  deps: PlaceDeps,
  { endpoint, deployment, output }: JobSpec,
  caller: Caller,
): Promise<void> {
  // A signed URL brings the rights of whoever signed it.
  if (output?.signed) return;
  const stored = await deps.registry.deployments.get(endpoint, deployment);
  const data = stored ? dataOf(await uriRules(deps), stored.value) : { endpoint, name: deployment, declared: [] };
  await checkOutput(deps, output, { caller, deployment: data });
}

/** Leaves room for an output file's name and `.errors.jsonl` within storage's 1,024 characters. */
export const MAX_OUTPUT_PATH = 800;

export const isFolder = (path: string): boolean => path === '' || path.endsWith('/');
