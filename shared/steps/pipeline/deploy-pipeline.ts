import type { PipelineDeployment } from '../../domain/deployment-record.ts';
import { deploymentExtension } from '../../domain/deployment-extensions.ts';
import { badRequest } from '../../domain/errors.ts';
import type { DeploymentBody } from '../../domain/management.ts';
import { checkPipeline, pipelineError } from '../../domain/pipeline/check-pipeline.ts';
import type { Datastores } from '../datastore-source.ts';
import { checkCompute, outputStore } from './check-settings.ts';
import { commandReferenceFaults, commandsIn } from './component-references.ts';
import { lookupFor, referencedPipeline, type ComponentDeps } from './component-source.ts';
import { checkCodeAllowed } from './pipeline-spec.ts';

export interface DeployPipelineDeps extends ComponentDeps {
  readonly datastores: Datastores;
  readonly allowCode: boolean;
}

type Sent = NonNullable<DeploymentBody['properties']>;

const TARGET = 'properties.deploymentConfiguration';

/**
 * What a deployment of a pipeline component stores, after the component was checked with all that it leads to. Throws ApiError 400.
 */
export async function sentPipeline(
  deps: DeployPipelineDeps,
  { model, codeConfiguration, properties = {}, deploymentConfiguration: sent }: Sent,
): Promise<Pick<PipelineDeployment, 'pipeline'>> {
  if (!sent) throw badRequest(`${TARGET}: is required: the deployment runs a pipeline.`, TARGET);
  if (model) throw refused('properties.model', 'a deployment has a model or a pipeline component, not both.');
  if (codeConfiguration)
    throw refused('properties.codeConfiguration', 'a pipeline brings its own code; leave the scoring script out.');
  refuseWatch(properties);
  const target = `${TARGET}.componentId.assetId`;
  const { record, pipeline } = await referencedPipeline(deps, sent.component, target);
  const lookup = await lookupFor(deps, pipeline);
  const faults = checkPipeline(pipeline, lookup);
  if (faults.length > 0) throw pipelineError(faults, target);
  const commands = commandsIn(pipeline, lookup);
  const missing = await commandReferenceFaults(deps, commands, target);
  if (missing.length > 0) throw pipelineError(missing, target);
  if (commands.length > 0) checkCodeAllowed(deps);
  const { defaultCompute = null, defaultDatastore = null } = sent.settings;
  await checkCompute(deps, defaultCompute, `${TARGET}.settings.default_compute`);
  await outputStore(deps, defaultDatastore, `${TARGET}.settings.default_datastore`);
  const { name, version } = record;
  return {
    pipeline: {
      component: { name, version },
      settings: sent.sentSettings,
      description: sent.description,
      tags: sent.tags,
    },
  };
}

const refused = (target: string, message: string) => badRequest(`${target}: ${message}`, target);

/** Throws ApiError 400: what a pipeline is given has names, and uploads have none. */
export function refuseWatch(properties: Readonly<Record<string, string>>): void {
  const watch = deploymentExtension(properties, 'watch');
  if (watch)
    throw refused(watch.target, 'uploads start deployments of models only; invoke a pipeline with its inputs.');
}
