import { sha256 } from '../../domain/blocks.ts';
import { canonical } from '../../domain/canonical.ts';
import { etagOf } from '../../domain/resources.ts';
import { parseDataUri } from '../../domain/uri.ts';
import type { PlannedStep, StepRecord } from '../../domain/pipeline/pipeline-job.ts';
import { uriRules } from '../datastore-source.ts';
import { datastoreOf } from '../deps.ts';
import type { PipelineDeps } from './deps.ts';

/**
 * A hash of all that a step's outputs depend on: its command, code, environment, literals, and what its inputs hold. Two steps
 * of one hash write the same, if their commands always do. Undefined for a step that is run each time.
 */
export async function versionOfStep(
  deps: PipelineDeps,
  step: PlannedStep,
  before: readonly StepRecord[],
): Promise<string | undefined> {
  if (!step.reusable) return undefined;
  const inputs = await Promise.all(
    Object.entries(step.inputs).map(async ([name, input]): Promise<[string, object | string]> => {
      switch (input.from) {
        case 'literal':
        case 'model':
          return [name, input];
        case 'place':
          return [name, await versionOfPlace(deps, input.uri)];
        case 'step':
          return [name, versionOfOutput(before, input.step, input.output)];
      }
    }),
  );
  const outputs = Object.entries(step.outputs).map(([name, { type }]): [string, string] => [name, type]);
  return sha256(
    canonical({
      work: await workOf(deps, step),
      inputs: Object.fromEntries(inputs),
      outputs: Object.fromEntries(outputs),
    }),
  );
}

/** What the command can see: a longer time limit makes no other result. */
async function workOf({ registry }: PipelineDeps, { work }: PlannedStep): Promise<object> {
  if (work.kind === 'scoring') {
    const deployment = work.deployment ?? (await registry.endpoints.get(work.endpoint))?.value.defaultDeployment;
    const found = deployment ? await registry.deployments.get(work.endpoint, deployment) : undefined;
    // Another deployment of the same name scores otherwise.
    return { ...work, scoredBy: found ? etagOf(found.value) : null };
  }
  const { kind, command, code, environment, environmentVariables } = work;
  return { kind, command, code: code ?? null, environment: environment ?? null, environmentVariables };
}

function versionOfOutput(before: readonly StepRecord[], path: string, output: string): string {
  const producer = before.find((step) => step.path === path);
  const version = producer?.state === 'completed' ? producer.versions[output] : undefined;
  if (version === undefined) throw new Error(`step ${path} has not written ${output}`);
  return version;
}

/** Names, sizes and ETags of what lies there: another write of the same bytes is another version. */
async function versionOfPlace(deps: PipelineDeps, uri: string): Promise<string> {
  const address = parseDataUri(uri, await uriRules(deps), 'inputs');
  const { blobs } = await datastoreOf(deps, address.datastore);
  const { container, path } = address;
  const file = path === '' || path.endsWith('/') ? undefined : await blobs.head({ container, name: path });
  if (file) return sha256(canonical([path, file.etag, file.length]));
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const found: unknown[] = [];
  for await (const { name, etag, length } of blobs.list(container, { prefix })) found.push([name, etag, length]);
  return sha256(canonical(found));
}
