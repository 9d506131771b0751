import { isDeepStrictEqual } from 'node:util';
import { contentOf, type AssetBody } from '../domain/asset-bodies.ts';
import { ApiError, badRequest, conflict, resourceNotFound } from '../domain/errors.ts';
import { ASSET_NAME_RULE, isAssetVersion } from '../domain/management-names.ts';
import { parseJobOutput } from '../domain/job-output-uri.ts';
import type { AssetRecord } from '../domain/resources.ts';
import { checkAssetName, ensureContainer } from './asset-containers.ts';
import { latestVersion } from './asset-lists.ts';
import { placeOf, keysOf, type AssetDeps, type AssetKind } from './asset-kinds.ts';
import { jobOutputPlace } from './job-output-place.ts';
import { writeResource, type Author } from './write-resource.ts';

/**
 * Registers a version, or changes the description, tags, properties and flags of one that is there: its content never changes.
 * Throws ApiError 400, 403 for its URI, 409 for another content under the same version.
 */
export async function putVersion<R extends AssetRecord>(
  deps: AssetDeps,
  kind: AssetKind<R>,
  name: string,
  asked: string,
  body: AssetBody,
  by: Author,
): Promise<{ record: R; created: boolean }> {
  checkAssetName(kind, name);
  if (!isAssetVersion(asked))
    throw badRequest(`The version of a ${kind.noun.toLowerCase()} ${ASSET_NAME_RULE}.`, 'version');
  const content = await withPlace(deps, kind, contentOf(body));
  const version = kind.versionFor?.(body, content) ?? asked;
  const place = await placeOf(kind, content, deps);
  const { description = null, tags = {}, properties = {}, isArchived, isAnonymous } = body.properties;
  const now = new Date(deps.clock.now()).toISOString();
  const changes = { description, tags, properties, modifiedAt: now };
  return writeResource(
    kind.versions(deps.registry),
    [name, version],
    async (stored) => {
      if (stored) {
        const other = await otherFields(stored, content, kind, deps);
        if (other.length > 0)
          throw conflict(
            `${kind.noun} '${name}' version '${version}' exists with another ${other.join(', ')}; a version never changes. Register a new version.`,
          );
        return { ...stored, ...changes, isArchived: isArchived ?? stored.isArchived };
      }
      const flags = { isAnonymous: isAnonymous ?? false, isArchived: isArchived ?? false };
      const draft = { name, version, ...changes, createdAt: now, createdBy: by.subject, ...flags, content };
      const record = await kind.make(deps, draft, place);
      await ensureContainer(deps, kind, record);
      for (const under of keysOf(kind, record)) await deps.registry.versionIndex.add(kind.kind, record, under);
      return record;
    },
    by.ifMatch,
  );
}

/** Whoever may register data, a model or code may read all jobs (shared/auth/may.ts). */
const EVERY_JOB = { mayRead: () => true };

/** An asset may name a job's output: what is kept is the place where that lies, as Azure ML does. */
async function withPlace(
  deps: AssetDeps,
  { uri }: AssetKind,
  content: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const output = uri === undefined ? undefined : parseJobOutput(String(content[uri]));
  if (uri === undefined || !output) return content;
  return { ...content, [uri]: (await jobOutputPlace(deps, output, EVERY_JOB, `properties.${uri}`)).uri };
}

/** What the SDK calls a component's version when it was given none. */
const DEFAULT_VERSION = 'azureml_default';

/** Throws ApiError 404. */
export async function versionOf<R extends AssetRecord>(
  deps: Pick<AssetDeps, 'registry'>,
  kind: AssetKind<R>,
  name: string,
  version: string,
): Promise<R> {
  const found =
    version === DEFAULT_VERSION
      ? await latestVersion(deps, kind, name)
      : (await kind.versions(deps.registry).get(name, version))?.value;
  if (!found) throw resourceNotFound(`${kind.noun} '${name.slice(0, 80)}' version '${version.slice(0, 80)}'`);
  return found;
}

/** The fields in which a stored version and what was sent differ; two URIs of one place are the same. */
async function otherFields(
  stored: AssetRecord,
  content: Readonly<Record<string, unknown>>,
  kind: AssetKind,
  deps: AssetDeps,
): Promise<string[]> {
  const before: Record<string, unknown> = { ...stored.content };
  const other = [...new Set([...Object.keys(before), ...Object.keys(content)])].filter(
    (field) => !isDeepStrictEqual(before[field], content[field]),
  );
  if (other.length === 0 || kind.isSame?.(before, content) === true) return [];
  const { uri } = kind;
  if (uri === undefined || !other.includes(uri) || !(await isSamePlace(before, content, kind, deps))) return other;
  return other.filter((field) => field !== uri);
}

async function isSamePlace(
  before: Readonly<Record<string, unknown>>,
  content: Readonly<Record<string, unknown>>,
  kind: AssetKind,
  deps: AssetDeps,
): Promise<boolean> {
  try {
    return isDeepStrictEqual(await placeOf(kind, before, deps), await placeOf(kind, content, deps));
  } catch (error) {
    // The datastore of the stored one is not there any more: it is another place.
    if (error instanceof ApiError) return false;
    throw error;
  }
}
