import { ApiError } from '../domain/errors.ts';
import { parseDataUri, type UriRules, type WorkspaceAddress } from '../domain/uri.ts';
import { allRecords } from '../storage/registry/collection.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { uriRules, type Datastores } from './datastore-source.ts';
import { everyDeployment } from './every-deployment.ts';
import { openJobs, type OpenJob, type OpenJobDeps } from './open-jobs.ts';
import { storedWatch } from './watched-deployments.ts';

export interface DatastoreUserDeps extends OpenJobDeps {
  readonly registry: Registry;
  readonly datastores: Datastores;
  readonly workspace: WorkspaceAddress;
}

/** What would break without a datastore, in words; undefined when nothing would. Models and code do not: their files are copies. */
export async function datastoreUser(deps: DatastoreUserDeps, name: string): Promise<string | undefined> {
  const rules = await uriRules(deps);
  return (
    (await openJobIn(deps, name, rules)) ?? (await dataIn(deps, name, rules)) ?? (await watcherOf(deps, name, rules))
  );
}

async function openJobIn(deps: DatastoreUserDeps, name: string, rules: UriRules): Promise<string | undefined> {
  for await (const job of openJobs(deps))
    if (uris(job).some((uri) => liesIn(uri, name, rules))) return `job '${job.spec.name}', which has not ended`;
  return undefined;
}

function uris({ kind, spec }: OpenJob): string[] {
  if (kind === 'scoring')
    return [spec.input.source ?? spec.input.uri, ...(spec.output === null ? [] : [spec.output.uri])];
  return spec.steps.flatMap(({ inputs, outputs }) => [
    ...Object.values(inputs).flatMap((input) => (input.from === 'place' ? [input.uri] : [])),
    ...Object.values(outputs).map(({ uri }) => uri),
  ]);
}

async function dataIn({ registry }: DatastoreUserDeps, name: string, rules: UriRules): Promise<string | undefined> {
  for await (const container of allRecords(registry.containers, ['data'] as const))
    for await (const asset of allRecords(registry.data, [container.name] as const))
      if (liesIn(String(asset.content['dataUri']), name, rules))
        return `data asset '${asset.name}' version '${asset.version}'`;
  return undefined;
}

async function watcherOf({ registry }: DatastoreUserDeps, name: string, rules: UriRules): Promise<string | undefined> {
  for await (const deployment of everyDeployment(registry))
    if (storedWatch(deployment, rules.datastores)?.datastore === name)
      return `deployment '${deployment.name}' of endpoint '${deployment.endpoint}', which watches it`;
  return undefined;
}

/** What cannot be read, or leads elsewhere, lies in no datastore. */
function liesIn(uri: string, name: string, rules: UriRules): boolean {
  try {
    return parseDataUri(uri, rules, 'uri').datastore === name;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
