import type { Caller } from '../auth/caller.ts';
import type { DeploymentData } from '../auth/data-grants.ts';
import { declaredUris, type DeclaredPlace } from '../domain/declared-data.ts';
import type { DeploymentRecord } from '../domain/deployment-record.ts';
import { ApiError } from '../domain/errors.ts';
import { parseDataUri, type UriRules } from '../domain/uri.ts';
import { watchOf } from '../domain/watch.ts';
import { uriRules, type RulesDeps } from './datastore-source.ts';
import { dataForbidden, mayUsePlace } from './usable-place.ts';
import { storedWatch } from './watched-deployments.ts';

type Deployed = Pick<DeploymentRecord, 'endpoint' | 'name' | 'properties'>;

/**
 * Throws ApiError 403 when somebody declares for a deployment what they may not use themselves: that would open it to everybody
 * who may invoke; 400 for what is no place.
 */
export async function checkDeclared(deps: RulesDeps, deployment: Deployed, caller: Caller): Promise<void> {
  const rules = await uriRules(deps);
  const user = { caller, deployment: { ...deployment, declared: [] } };
  for (const { access, uri, target } of declaredUris(deployment.properties)) {
    const place = parseDataUri(uri, rules, target);
    if (!mayUsePlace(rules, { access, ...place }, user)) throw dataForbidden(uri, access, target);
  }
  const watch = watchOf(deployment, rules.datastores);
  const watched = watch && { access: 'read' as const, datastore: watch.datastore, path: watch.prefix };
  if (watched && !mayUsePlace(rules, watched, user))
    throw dataForbidden(watched.path, 'read', 'properties.properties.batchpoint.watch');
}

/** What a stored deployment opens to its jobs. A place whose datastore is gone opens nothing. */
export function dataOf(rules: UriRules, deployment: Deployed): DeploymentData {
  const { endpoint, name } = deployment;
  const declared = declaredUris(deployment.properties).flatMap(({ access, uri, target }): DeclaredPlace[] => {
    try {
      const { datastore, path } = parseDataUri(uri, rules, target);
      return [{ access, datastore, prefix: path }];
    } catch (error) {
      if (error instanceof ApiError) return [];
      throw error;
    }
  });
  const watch = storedWatch(deployment, rules.datastores);
  if (watch) declared.push({ access: 'read', datastore: watch.datastore, prefix: watch.prefix });
  return { endpoint, name, declared };
}
