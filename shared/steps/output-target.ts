import type { JobSpec } from '../domain/job.ts';
import type { Target } from '../domain/plan.ts';
import { badRequest } from '../domain/errors.ts';
import type { Datastore, JobDeps } from './deps.ts';
import { jobAddress } from './job-address.ts';

/**
 * Where a job writes: the file that was asked for, the file of the deployment's name in the folder that was asked for, or
 * Azure ML's default place `azureml/<job>/score/` on the default datastore (contract 6). The errors file lies beside it.
 */
export async function outputTarget(deps: JobDeps, spec: JobSpec): Promise<{ output: Target; errors: Target }> {
  const { outputFileName } = spec.settings;
  const asked = spec.output && {
    kind: spec.output.kind,
    address: await jobAddress(deps, spec.name, 'output', spec.output),
  };
  if (asked?.kind === 'UriFile' && (asked.address.path === '' || asked.address.path.endsWith('/')))
    throw badRequest('The output of type UriFile must name a file, not a folder.', 'outputData');
  const { datastore, container } = asked?.address ?? placeOf(deps.datastores.default);
  const folder = asked ? asked.address.path.replace(/\/$/, '') : `azureml/${spec.name}/score`;
  const blob = asked?.kind === 'UriFile' ? folder : `${folder === '' ? '' : `${folder}/`}${outputFileName}`;
  return { output: { datastore, container, blob }, errors: { datastore, container, blob: `${blob}.errors.jsonl` } };
}

const placeOf = ({ address }: Datastore) => ({ datastore: address.name, container: address.container });
