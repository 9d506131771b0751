import { badRequest } from '../../domain/errors.ts';
import { maxInstancesOf } from '../computes.ts';
import type { Datastore } from '../deps.ts';
import type { PlaceDeps } from '../job-places.ts';

/** Azure ML's words for "no cluster of mine": this app's own instances. */
const NO_CLUSTER = /^(azureml:)?(serverless|local)$/i;

/** Throws ApiError 400, with the call that makes it, for a compute that is not there. All steps run on this app's own instances. */
export async function checkCompute(
  deps: Pick<PlaceDeps, 'registry' | 'workspace'>,
  compute: string | null,
  target: string,
): Promise<void> {
  if (compute === null || NO_CLUSTER.test(compute)) return;
  await maxInstancesOf(deps, compute, target);
}

/** Where outputs go that nobody placed: `default_datastore` by its name, `azureml:<name>` or ARM id. Throws ApiError 400. */
export async function outputStore(
  { datastores }: Pick<PlaceDeps, 'datastores'>,
  asked: string | null,
  target: string,
): Promise<Datastore> {
  if (asked === null || asked === '') return datastores.default;
  const name = asked.replace(/^azureml:/i, '').replace(/^.*\/datastores\//i, '');
  const found = await datastores.find(name);
  if (!found) throw badRequest(`${target}: there is no datastore '${name.slice(0, 80)}' in this workspace.`, target);
  return found;
}
