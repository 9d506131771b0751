import { jobOfChildRun } from '../domain/child-run.ts';
import { badRequest } from '../domain/errors.ts';
import { isEnded } from '../domain/job.ts';
import type { JobOutputReference } from '../domain/job-output-uri.ts';
import { isJobName } from '../domain/management-names.ts';
import { outputFolder, SCORE } from '../domain/run-output.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';

/**
 * Where an output of an earlier job lies, as `azureml://datastores/...`: the folder of its predictions, or the file that its
 * caller asked for. Throws ApiError 400 for a job or output that is not there, or not yet.
 */
export async function jobOutputPlace(
  { jobs }: { readonly jobs: Pick<Jobs, 'get' | 'spec'> },
  { job: written, output, path }: JobOutputReference,
  target: string,
): Promise<string> {
  const wrong = (message: string) => badRequest(`${target}: ${message}`, target);
  const name = written.toLowerCase();
  const known = isJobName(name) ? [name, jobOfChildRun(name)] : [];
  for (const job of known) {
    const [spec, found] = job === undefined ? [] : await Promise.all([jobs.spec(job), jobs.get(job)]);
    if (!spec || !found) continue;
    // A model deployment has one output, whatever its caller called it.
    if (![SCORE, spec.output?.name.toLowerCase()].includes(output.toLowerCase()))
      throw wrong(`job '${spec.name}' has no output '${output.slice(0, 80)}', but '${SCORE}'.`);
    const record = found.value;
    if (!('outputUri' in record) || record.outputUri === undefined)
      throw wrong(`job '${spec.name}' ${isEnded(record) ? 'ended without an output' : 'has not ended yet'}.`);
    if (path !== '') return outputFolder(record.outputUri) + path;
    return spec.output?.kind === 'UriFile' ? record.outputUri : outputFolder(record.outputUri);
  }
  throw wrong(`there is no job '${written.slice(0, 120)}'.`);
}
