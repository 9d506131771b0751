import { checkVariables } from '../../domain/code-variables.ts';
import { isPipelineDeployment } from '../../domain/deployment-record.ts';
import { badRequest } from '../../domain/errors.ts';
import type { CommandComponent, EnvironmentSource, ParallelComponent } from '../../domain/pipeline/model.ts';
import type { StepWork } from '../../domain/pipeline/pipeline-job.ts';
import type { PlannedStep } from '../../domain/pipeline/plan-pipeline.ts';
import { CODES } from '../asset-kinds.ts';
import { referencedEnvironment } from '../referenced-environment.ts';
import { referencedVersion, type ReferenceDeps } from '../referenced-version.ts';

export interface WorkDeps extends ReferenceDeps {
  /** Seconds that a command may take, so that it ends within the host's functionTimeout. */
  readonly maxTimeoutSeconds: number;
}

/** What a planned step does, with the versions that its references name now. Throws ApiError 400 for one that leads nowhere. */
export async function stepWork(deps: WorkDeps, step: PlannedStep, target: string): Promise<StepWork> {
  return step.component.type === 'command'
    ? commandWork(deps, step, step.component, target)
    : scoringWork(deps, step, step.component, target);
}

async function commandWork(
  deps: WorkDeps,
  step: PlannedStep,
  component: CommandComponent,
  target: string,
): Promise<StepWork> {
  const { environmentVariables, timeoutSeconds } = step;
  if (timeoutSeconds !== undefined && timeoutSeconds > deps.maxTimeoutSeconds)
    throw badRequest(
      `${target}.limits.timeout: must be at most ${deps.maxTimeoutSeconds} seconds: a command has to end within the app's functionTimeout (host.json).`,
      `${target}.limits.timeout`,
    );
  checkVariables(environmentVariables, `${target}.environmentVariables`);
  const code = component.code === null ? undefined : await codeVersion(deps, component.code, `${target}.code`);
  const environment = step.environment && (await environmentVersion(deps, step.environment, `${target}.environment`));
  return {
    kind: 'command',
    command: component.command,
    inputNames: Object.keys(component.inputs),
    ...(code && { code }),
    ...(environment && { environment }),
    environmentVariables: { ...environmentVariables },
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  };
}

/** The registered code that a reference names. Throws ApiError 400. */
export async function codeVersion(deps: ReferenceDeps, reference: string, target: string) {
  const { name, version } = await referencedVersion(deps, CODES, reference, target);
  return { name, version };
}

/** A reference with the version that it names now; what is written out stays as it is. Throws ApiError 400. */
export const environmentVersion = async (
  deps: ReferenceDeps,
  source: EnvironmentSource,
  target: string,
): Promise<EnvironmentSource> =>
  'reference' in source ? { reference: await referencedEnvironment(deps, source.reference, target) } : source;

/** An endpoint that is not there would only be missed when all steps before this one have run. */
async function scoringWork(
  { registry }: ReferenceDeps,
  step: PlannedStep,
  component: ParallelComponent,
  target: string,
): Promise<StepWork> {
  const { endpoint, deployment, data, score } = component;
  const wrong = (message: string) => badRequest(`${target}.task.model: ${message}`, `${target}.task.model`);
  const found = await registry.endpoints.get(endpoint);
  if (!found) throw wrong(`there is no endpoint '${endpoint}'.`);
  const chosen = deployment ?? found.value.defaultDeployment;
  if (chosen === null) throw wrong(`endpoint '${endpoint}' has no default deployment; name one.`);
  const scorer = await registry.deployments.get(endpoint, chosen);
  if (!scorer) throw wrong(`endpoint '${endpoint}' has no deployment '${chosen}'.`);
  if (isPipelineDeployment(scorer.value))
    throw wrong(
      `deployment '${chosen}' of endpoint '${endpoint}' runs a pipeline; a parallel step scores with a model.`,
    );
  const { overrides } = step;
  return { kind: 'scoring', endpoint, deployment, overrides, input: data, output: score };
}
