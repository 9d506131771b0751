import type { Caller } from '../../auth/caller.ts';
import type { JobSpec } from '../../domain/job.ts';
import { parseDataUri } from '../../domain/uri.ts';
import { uriRules, type Datastores, type RulesDeps } from '../datastore-source.ts';
import { datastoreOf } from '../deps.ts';
import type { Delegations } from './delegations.ts';

export interface DelegateDeps extends RulesDeps {
  readonly datastores: Datastores;
  readonly delegations: Delegations;
}

/** The access with which a job reads and writes as its invoker, by id. Throws ApiError 400 where there can be none. */
export async function delegateJob(
  deps: DelegateDeps,
  { name, input, output }: Pick<JobSpec, 'name' | 'input' | 'output'>,
  caller: Caller,
): Promise<string> {
  const rules = await uriRules(deps);
  const storeOf = async (uri: string) => (await datastoreOf(deps, parseDataUri(uri, rules, 'uri').datastore)).address;
  return deps.delegations.make({
    job: name,
    caller,
    input: await storeOf(input.source ?? input.uri),
    output: output ? await storeOf(output.uri) : deps.datastores.default.address,
  });
}
