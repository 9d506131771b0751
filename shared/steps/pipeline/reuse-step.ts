import type {
  PipelineSpec,
  PlannedStep,
  StepFacts,
  StepOutput,
  StepResult,
} from '../../domain/pipeline/pipeline-job.ts';
import { mapBounded } from '../../domain/map-bounded.ts';
import { parseDataUri } from '../../domain/uri.ts';
import { uriRules } from '../datastore-source.ts';
import { datastoreOf } from '../deps.ts';
import type { PipelineDeps } from './deps.ts';

/** Files that are copied at once. */
const COPIES = 8;

/**
 * Fills this job's outputs of a step with what an earlier, equal one wrote. False when that is not all there any more: then the
 * step has to run.
 */
export async function takeOver(deps: PipelineDeps, step: PlannedStep, earlier: StepResult): Promise<boolean> {
  for (const [name, target] of Object.entries(step.outputs)) {
    const source = earlier.outputs[name];
    if (!source || !(await copyOutput(deps, source, target))) return false;
  }
  return true;
}

async function copyOutput(deps: PipelineDeps, source: StepOutput, target: StepOutput): Promise<boolean> {
  const from = parseDataUri(source.uri, await uriRules(deps), 'outputs');
  const to = parseDataUri(target.uri, await uriRules(deps), 'outputs');
  if (from.container === to.container && from.datastore === to.datastore && from.path === to.path) return true;
  const read = (await datastoreOf(deps, from.datastore)).blobs;
  const write = (await datastoreOf(deps, to.datastore)).blobs;
  const names: string[] = [];
  if (from.path.endsWith('/'))
    for await (const { name } of read.list(from.container, { prefix: from.path }))
      names.push(name.slice(from.path.length));
  else if (await read.head({ container: from.container, name: from.path })) names.push('');
  if (names.length === 0) return false;
  const copied = await mapBounded(names, COPIES, async (name) => {
    const found = await read.read({ container: from.container, name: from.path + name });
    if (!found) return false;
    await write.writeStream({ container: to.container, name: to.path + name }, found.body, {});
    return true;
  });
  return copied.every(Boolean);
}

/**
 * Notes what a step has written for later jobs that would write the same. `version` is what it saw when it began: what lies at
 * its inputs by now may be something else.
 */
export async function keepResult(
  deps: PipelineDeps,
  { name: job }: PipelineSpec,
  step: PlannedStep,
  version: string | undefined,
  facts: StepFacts & { readonly versions: Record<string, string> },
): Promise<void> {
  if (version !== undefined)
    await deps.pipelines.keepResult(version, { job, run: step.run, outputs: step.outputs, ...facts });
}
