import type { Caller } from '../../auth/caller.ts';
import { sha256 } from '../../domain/blocks.ts';
import { canonical } from '../../domain/canonical.ts';
import { badRequest } from '../../domain/errors.ts';
import { isJobName } from '../../domain/management-names.ts';
import { parseJobBody, type AskedJob } from '../../domain/pipeline/job-body.ts';
import type { PipelineComponent, StepOutput } from '../../domain/pipeline/model.ts';
import { SentJob } from '../../domain/pipeline/sent-job.ts';
import { layPipelineSettings } from '../../domain/pipeline/settings.ts';
import { admitJob, type RunningLimits } from '../admit-job.ts';
import { checkCompute } from './check-settings.ts';
import { referencedPipeline } from './component-source.ts';
import { pipelineSpec, type SpecDeps } from './pipeline-spec.ts';
import { submitPipeline, type SubmitPipelineDeps } from './submit-pipeline.ts';

export interface PutJobDeps extends SpecDeps, SubmitPipelineDeps {
  readonly limits: SpecDeps['limits'] & RunningLimits;
}

/** The experiment of a job that names none, as Azure ML calls it. */
const NO_EXPERIMENT = 'Default';

const TARGETS = {
  inputs: 'properties.inputs',
  outputs: 'properties.outputs',
  pipeline: 'properties',
  settings: 'properties.settings',
};

/**
 * Makes and starts the job that a body describes: a pipeline, a component's run, or one command. `created: false` when the same body
 * was put at the same time. Throws ApiError 400, 403 and writes nothing then; 409 when another job has the name.
 */
export async function putJob(
  deps: PutJobDeps,
  written: string,
  body: Readonly<Record<string, unknown>>,
  caller: Caller,
): Promise<{ readonly name: string; readonly created: boolean }> {
  if (!isJobName(written))
    throw badRequest(
      'The name of a job must have 1 to 255 letters, digits, underscores and hyphens, and begin with a letter or digit.',
      'name',
    );
  const name = written.toLowerCase();
  const asked = parseJobBody(body);
  await checkCompute(deps, asked.compute, 'properties.computeId');
  const spec = await pipelineSpec(deps, {
    name,
    displayName: asked.displayName ?? name,
    experimentName: asked.experimentName ?? NO_EXPERIMENT,
    description: asked.description,
    tags: { ...asked.tags },
    properties: { ...asked.properties },
    endpoint: null,
    deployment: null,
    createdBy: caller.subject,
    ...(caller.name !== undefined && { createdByName: caller.name }),
    user: { caller },
    requestHash: sha256(canonical(body)),
    sent: { ...SentJob.parse(body).properties, jobType: asked.jobType },
    inputs: asked.inputs,
    settings: layPipelineSettings(asked.settings),
    targets: TARGETS,
    ...(await pipelineOf(deps, asked)),
  });
  const { created } = await admitJob(deps, deps.limits, spec, (admitted) => submitPipeline(deps, admitted));
  return { name, created };
}

/** What is run, and what is said of its outputs. */
async function pipelineOf(
  deps: PutJobDeps,
  { pipeline, outputs }: AskedJob,
): Promise<{ pipeline: PipelineComponent; given: Readonly<Record<string, StepOutput>> }> {
  if ('reference' in pipeline) {
    const found = await referencedPipeline(deps, pipeline.reference, 'properties.componentId');
    return { pipeline: found.pipeline, given: outputs };
  }
  // What an output of a job with steps is bound to is part of its pipeline.
  const places = Object.entries(outputs).map(([name, { value: _binding, ...place }]): [string, StepOutput] => [
    name,
    place,
  ]);
  return { pipeline: pipeline.inline, given: Object.fromEntries(places) };
}
