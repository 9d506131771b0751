import { isDeepStrictEqual } from 'node:util';
import type { AssetBody } from '../../domain/asset-bodies.ts';
import { canonical } from '../../domain/canonical.ts';
import { checkPipeline, pipelineError } from '../../domain/pipeline/check-pipeline.ts';
import { parseComponentSpec } from '../../domain/pipeline/component-spec.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { COMPONENTS, type AssetDeps, type AssetKind } from '../asset-kinds.ts';
import { commandReferenceFaults, commandsIn } from './component-references.ts';
import { componentOfSpec, lookupFor } from './component-source.ts';

const SPEC = 'properties.componentSpec';

/** Components as clients register them: only those that could run are taken. */
export const CHECKED_COMPONENTS: AssetKind = {
  ...COMPONENTS,
  versionFor: versionOfJobComponent,
  // The client puts what it got once more, with its id and another `_source` in it; unnamed components are one under many names.
  isSame: (one, other) => isDeepStrictEqual(namelessIn(one), namelessIn(other)),
  make: async (deps, draft) => {
    await checkComponent(deps, draft.content['componentSpec']);
    return draft;
  },
};

const namelessIn = (content: Readonly<Record<string, unknown>>) => {
  const { name: _name, version: _version, ...component } = parseComponentSpec(content['componentSpec'], SPEC);
  return component;
};

/**
 * The client calls every component that it makes out of a job version 1 of `azureml_anonymous`, and goes on with the id that it is
 * answered: here each job's has a version of its own.
 */
function versionOfJobComponent(
  { properties }: AssetBody,
  content: Readonly<Record<string, unknown>>,
): string | undefined {
  const spec = content['componentSpec'];
  const isOfJob = typeof spec === 'object' && spec !== null && 'sourceJobId' in spec && spec.sourceJobId !== null;
  return properties.isAnonymous === true && isOfJob ? uuidOf(canonical(spec)) : undefined;
}

/** Throws ApiError 400 that names all that is wrong, with the path of each. */
async function checkComponent(deps: AssetDeps, spec: unknown): Promise<void> {
  const component = await componentOfSpec(deps, spec);
  const faults = component.type === 'pipeline' ? checkPipeline(component, await lookupFor(deps, component)) : [];
  // What is registered elsewhere was checked there.
  const written = commandsIn(component, () => undefined);
  const missing = await commandReferenceFaults(deps, written, SPEC);
  if (faults.length + missing.length > 0) throw pipelineError([...faults, ...missing], SPEC);
}
