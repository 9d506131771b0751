import type { DeploymentRecord } from '../domain/deployment-record.ts';
import { allRecords } from '../storage/registry/collection.ts';
import type { Registry } from '../storage/registry/resources.ts';

/** The deployments of all endpoints. */
export async function* everyDeployment(
  registry: Pick<Registry, 'endpoints' | 'deployments'>,
): AsyncGenerator<DeploymentRecord, void, undefined> {
  for await (const endpoint of allRecords(registry.endpoints, [] as const))
    yield* allRecords(registry.deployments, [endpoint.name] as const);
}
