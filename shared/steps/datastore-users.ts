import { ApiError } from '../domain/errors.ts';
import { isEnded, type JobSpec } from '../domain/job.ts';
import { isPipelineEnded, type PipelineSpec } from '../domain/pipeline/pipeline-job.ts';
import { parseDataUri, type UriRules, type WorkspaceAddress } from '../domain/uri.ts';
import { allRecords } from '../storage/registry/collection.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { uriRules, type Datastores } from './datastore-source.ts';
import { everyDeployment } from './every-deployment.ts';
import { storedWatch } from './watched-deployments.ts';

export interface DatastoreUserDeps {
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
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
  let continuation: string | undefined;
  do {
    const page = await deps.jobs.open(100, continuation);
    for (const { name: job } of page.jobs)
      if ((await openUris(deps, job)).some((uri) => liesIn(uri, name, rules)))
        return `job '${job}', which has not ended`;
    continuation = page.continuation;
  } while (continuation !== undefined);
  return undefined;
}

/** What a job of any kind reads and writes, as long as it has not ended. */
async function openUris({ jobs, pipelines }: DatastoreUserDeps, job: string): Promise<string[]> {
  const [spec, record] = await Promise.all([jobs.spec(job), jobs.get(job)]);
  if (spec && record) return isEnded(record.value) ? [] : uris(spec);
  const [pipeline, stands] = await Promise.all([pipelines.spec(job), pipelines.get(job)]);
  return pipeline && stands && !isPipelineEnded(stands.value) ? placesOf(pipeline) : [];
}

const placesOf = ({ steps }: PipelineSpec): string[] =>
  steps.flatMap(({ inputs, outputs }) => [
    ...Object.values(inputs).flatMap((input) => (input.from === 'place' ? [input.uri] : [])),
    ...Object.values(outputs).map(({ uri }) => uri),
  ]);

const uris = ({ input, output }: JobSpec): string[] => [
  input.source ?? input.uri,
  ...(output === null ? [] : [output.uri]),
];

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
