import { isCurated, isRegistryEnvironment, withPrefix } from '../domain/environment-id.ts';
import { ENVIRONMENTS } from './asset-kinds.ts';
import { lookUp, notRegistered, type ReferenceDeps } from './referenced-version.ts';

/**
 * An environment registered here as `azureml:<name>:<version>`; Azure ML's own, which are not, as they were named. Throws ApiError
 * 400 for one that is neither.
 */
export async function referencedEnvironment(deps: ReferenceDeps, id: string, target: string): Promise<string> {
  if (isRegistryEnvironment(id)) return id;
  const { asked, found } = await lookUp(deps, ENVIRONMENTS, withPrefix(id), target);
  if (found) return `azureml:${found.name}:${found.version}`;
  if (isCurated(asked.name)) return `azureml:${asked.name}${asked.isLabel ? '@' : ':'}${asked.version}`;
  throw notRegistered(ENVIRONMENTS, asked, target);
}
