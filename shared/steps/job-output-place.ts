import { jobOfChildRun } from '../domain/child-run.ts';
import { badRequest } from '../domain/errors.ts';
import { isEnded } from '../domain/job.ts';
import type { JobOutputReference } from '../domain/job-output-uri.ts';
import { isJobName } from '../domain/management-names.ts';
import { isPipelineEnded, isStepEnded, stepNamed, type PlannedStep } from '../domain/pipeline/pipeline-job.ts';
import { outputFolder, SCORE } from '../domain/run-output.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';

export interface JobOutputDeps {
  readonly jobs: Pick<Jobs, 'get' | 'spec'>;
  readonly pipelines: Pick<Pipelines, 'get' | 'spec' | 'step' | 'stepOfRun'>;
}

/** Throws ApiError 400 that names the field. */
type Refuse = (message: string) => never;

/**
 * Where an output of an earlier job lies, as `azureml://datastores/...`: the folder of its predictions, the file that its caller
 * asked for, or a named output of a pipeline or of one of its steps. Throws ApiError 400 for a job or output that is not there,
 * or not yet.
 */
export async function jobOutputPlace(deps: JobOutputDeps, asked: JobOutputReference, target: string): Promise<string> {
  const refuse: Refuse = (message) => {
    throw badRequest(`${target}: ${message}`, target);
  };
  const name = asked.job.toLowerCase();
  const found = isJobName(name)
    ? ((await scoringOutput(deps, name, asked, refuse)) ?? (await pipelineOutput(deps, name, asked, refuse)))
    : undefined;
  return found ?? refuse(`there is no job '${asked.job.slice(0, 120)}'.`);
}

/** Of a scoring job, or of its child run. */
async function scoringOutput(
  { jobs }: JobOutputDeps,
  name: string,
  { output, path }: JobOutputReference,
  refuse: Refuse,
): Promise<string | undefined> {
  for (const job of [name, jobOfChildRun(name)]) {
    const [spec, found] = job === undefined ? [] : await Promise.all([jobs.spec(job), jobs.get(job)]);
    if (!spec || !found) continue;
    // A model deployment has one output, whatever its caller called it.
    if (![SCORE, spec.output?.name.toLowerCase()].includes(output.toLowerCase()))
      refuse(`job '${spec.name}' has no output '${output.slice(0, 80)}', but '${SCORE}'.`);
    const record = found.value;
    if (!('outputUri' in record) || record.outputUri === undefined)
      return refuse(`job '${spec.name}' ${isEnded(record) ? 'ended without an output' : 'has not ended yet'}.`);
    if (path !== '') return outputFolder(record.outputUri) + path;
    return spec.output?.kind === 'UriFile' ? record.outputUri : outputFolder(record.outputUri);
  }
  return undefined;
}

/** Of a pipeline job, or of the child run of one of its steps. */
async function pipelineOutput(
  { pipelines }: JobOutputDeps,
  name: string,
  { output: written, path }: JobOutputReference,
  refuse: Refuse,
): Promise<string | undefined> {
  const run = await pipelines.stepOfRun(name);
  const job = run?.job ?? name;
  const [spec, found] = await Promise.all([pipelines.spec(job), pipelines.get(job)]);
  if (!spec || !found) return undefined;
  const outputs = run === undefined ? spec.outputs : outputsOf(stepNamed(spec, run.path));
  const same = (other: string): boolean => other.toLowerCase() === written.toLowerCase();
  const [, output] = Object.entries(outputs).find(([known]) => same(known)) ?? [];
  if (!output) {
    const known = Object.keys(outputs).join(', ') || 'none';
    return refuse(`job '${name}' has no output '${written.slice(0, 80)}' (it has ${known}).`);
  }
  const step = await pipelines.step(job, output.step);
  if (step.state !== 'completed') {
    const isOver = isStepEnded(step) || isPipelineEnded(found.value);
    return refuse(
      `job '${name}' ${isOver ? 'ended without this output' : `has not written its output '${written}' yet`}.`,
    );
  }
  if (path === '') return output.uri;
  return output.uri.endsWith('/')
    ? output.uri + path
    : refuse(`output '${written}' of job '${name}' is a file and has no '${path.slice(0, 120)}' in it.`);
}

const outputsOf = ({ path, outputs }: PlannedStep) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { uri }]) => [name, { uri, step: path }]));
