import { badRequest, ApiError } from '../../domain/errors.ts';
import { isJobName } from '../../domain/management-names.ts';
import { parseComponentSpec } from '../../domain/pipeline/component-spec.ts';
import { loadComponents, type Lookup } from '../../domain/pipeline/components.ts';
import { parseJobBody } from '../../domain/pipeline/job-body.ts';
import type { InputPort, PipelineComponent, StepComponent, StepInput } from '../../domain/pipeline/model.ts';
import { own } from '../../domain/pipeline/own.ts';
import type { AssetRecord } from '../../domain/resources.ts';
import type { Pipelines } from '../../storage/registry/pipelines-port.ts';
import { COMPONENTS } from '../asset-kinds.ts';
import { lookUp, notRegistered, type ReferenceDeps } from '../referenced-version.ts';

export interface ComponentDeps extends ReferenceDeps {
  readonly pipelines: Pick<Pipelines, 'spec'>;
}

interface RegisteredComponent {
  readonly record: AssetRecord;
  readonly component: StepComponent;
}

/** The registered component that a reference names. Throws ApiError 400 when there is none. */
async function referencedComponent(
  deps: ComponentDeps,
  reference: string,
  target: string,
): Promise<RegisteredComponent> {
  const { asked, found } = await lookUp(deps, COMPONENTS, reference, target);
  if (!found) throw notRegistered(COMPONENTS, asked, target);
  return { record: found, component: await componentOfSpec(deps, found.content['componentSpec']) };
}

/** As `referencedComponent`, for one that is a pipeline. */
export async function referencedPipeline(
  deps: ComponentDeps,
  reference: string,
  target: string,
): Promise<{ readonly record: AssetRecord; readonly pipeline: PipelineComponent }> {
  const { record, component } = await referencedComponent(deps, reference, target);
  if (component.type !== 'pipeline')
    throw badRequest(
      `${target}: component '${record.name}' version '${record.version}' is a ${component.type} component; a pipeline component is needed. Make it the step of one.`,
      target,
    );
  return { record, pipeline: component };
}

/** All components that a pipeline names, as they are now. */
export const lookupFor = (deps: ComponentDeps, pipeline: PipelineComponent): Promise<Lookup> =>
  loadComponents(pipeline, (reference) => registered(deps, reference));

/** Undefined for a component that is not there: the fault is told with the path of the step that names it. */
async function registered(deps: ComponentDeps, reference: string): Promise<StepComponent | undefined> {
  const record = await recordOf(deps, reference);
  return record && componentOfSpec(deps, record.content['componentSpec']);
}

async function recordOf(deps: ComponentDeps, reference: string): Promise<AssetRecord | undefined> {
  try {
    return (await lookUp(deps, COMPONENTS, reference, 'componentId')).found;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

const SPEC = 'properties.componentSpec';

/** Reads a component's spec; one that names a job is made out of that job. Throws ApiError 400. */
export async function componentOfSpec(deps: ComponentDeps, spec: unknown): Promise<StepComponent> {
  const component = parseComponentSpec(spec, SPEC);
  if (component.type !== 'pipeline' || component.sourceJob === undefined) return component;
  const { inputs, outputs, jobs } = await pipelineOfJob(deps, component.sourceJob);
  return { ...component, inputs, outputs, jobs };
}

/** The pipeline that a job ran: what the job gave to its inputs is what they are when nobody gives them. */
async function pipelineOfJob(deps: ComponentDeps, written: string): Promise<PipelineComponent> {
  const target = `${SPEC}.sourceJobId`;
  const name = written.toLowerCase();
  const job = isJobName(name) ? await deps.pipelines.spec(name) : undefined;
  if (!job) throw badRequest(`${target}: there is no pipeline job '${written.slice(0, 120)}'.`, target);
  const asked = parseJobBody({ properties: job.sent });
  const pipeline =
    'inline' in asked.pipeline
      ? asked.pipeline.inline
      : (await referencedPipeline(deps, asked.pipeline.reference, target)).pipeline;
  const inputs = Object.entries(pipeline.inputs).map(([input, port]): [string, InputPort] => [
    input,
    withDefault(port, own(asked.inputs, input)),
  ]);
  return { ...pipeline, inputs: Object.fromEntries(inputs) };
}

function withDefault(port: InputPort, given: StepInput | undefined): InputPort {
  if (given === undefined) return port;
  if (given.kind === 'value') return { ...port, default: given.value };
  return port.kind === 'path' ? { ...port, default: given.uri } : port;
}
