import type { Caller } from '../auth/caller.ts';
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

/** An output that was found. */
export interface FoundOutput {
  readonly uri: string;
  /** The folders of its job that nobody places anything in but the job itself: `azureml/<job>/`, and those of its steps. */
  readonly ownFolders: readonly string[];
}

/** Who may read which jobs; registering an asset takes a role that reads all. */
export type Reader = Pick<Caller, 'mayRead'>;

/** Throws ApiError 400 that names the field. */
type Refuse = (message: string) => never;

/**
 * Where an output of an earlier job lies, as `azureml://datastores/...`: the folder of its predictions, the file that its caller
 * asked for, or a named output of a pipeline or of one of its steps. Throws ApiError 400 for a job or output that is not there,
 * or not yet; a job that the caller may not read is not there.
 */
export async function jobOutputPlace(
  deps: JobOutputDeps,
  asked: JobOutputReference,
  reader: Reader,
  target: string,
): Promise<FoundOutput> {
  const refuse: Refuse = (message) => {
    throw badRequest(`${target}: ${message}`, target);
  };
  const name = asked.job.toLowerCase();
  const found = isJobName(name)
    ? ((await scoringOutput(deps, name, asked, reader, refuse)) ??
      (await pipelineOutput(deps, name, asked, reader, refuse)))
    : undefined;
  return found ?? refuse(`there is no job '${asked.job.slice(0, 120)}'.`);
}

/** Of a scoring job, or of its child run. */
async function scoringOutput(
  { jobs }: JobOutputDeps,
  name: string,
  { output, path }: JobOutputReference,
  reader: Reader,
  refuse: Refuse,
): Promise<FoundOutput | undefined> {
  for (const job of [name, jobOfChildRun(name)]) {
    const [spec, found] = job === undefined ? [] : await Promise.all([jobs.spec(job), jobs.get(job)]);
    if (!spec || !found || !reader.mayRead(spec)) continue;
    // A model deployment has one output, whatever its caller called it.
    if (![SCORE, spec.output?.name.toLowerCase()].includes(output.toLowerCase()))
      refuse(`job '${spec.name}' has no output '${output.slice(0, 80)}', but '${SCORE}'.`);
    const record = found.value;
    if (!('outputUri' in record) || record.outputUri === undefined)
      return refuse(`job '${spec.name}' ${isEnded(record) ? 'ended without an output' : 'has not ended yet'}.`);
    const ownFolders = [ownFolder(spec.name)];
    if (path !== '') return { uri: outputFolder(record.outputUri) + path, ownFolders };
    return { uri: spec.output?.kind === 'UriFile' ? record.outputUri : outputFolder(record.outputUri), ownFolders };
  }
  return undefined;
}

/** Of a pipeline job, or of the child run of one of its steps. */
async function pipelineOutput(
  { pipelines }: JobOutputDeps,
  name: string,
  { output: written, path }: JobOutputReference,
  reader: Reader,
  refuse: Refuse,
): Promise<FoundOutput | undefined> {
  const run = await pipelines.stepOfRun(name);
  const job = run?.job ?? name;
  const [spec, found] = await Promise.all([pipelines.spec(job), pipelines.get(job)]);
  if (!spec || !found || !reader.mayRead({ endpoint: spec.endpoint ?? undefined, createdBy: spec.createdBy }))
    return undefined;
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
  const ownFolders = [job, ...spec.steps.map((step) => step.run)].map(ownFolder);
  if (path === '') return { uri: output.uri, ownFolders };
  return output.uri.endsWith('/')
    ? { uri: output.uri + path, ownFolders }
    : refuse(`output '${written}' of job '${name}' is a file and has no '${path.slice(0, 120)}' in it.`);
}

const ownFolder = (run: string): string => `azureml/${run}/`;

const outputsOf = ({ path, outputs }: PlannedStep) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { uri }]) => [name, { uri, step: path }]));
