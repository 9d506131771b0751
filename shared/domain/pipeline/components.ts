import { mapBounded } from '../map-bounded.ts';
import type { Fault, PipelineComponent, Step, StepComponent } from './model.ts';

/** The component of a reference, undefined when there is none. */
export type Lookup = (reference: string) => StepComponent | undefined;

export const componentOf = (step: Step, lookup: Lookup): StepComponent | undefined =>
  'inline' in step.component ? step.component.inline : lookup(step.component.reference);

/** Steps of a job, those of nested pipelines among them. */
export const MAX_STEPS = 1000;
const MAX_DEPTH = 20;

const referencesIn = (component: StepComponent): string[] =>
  component.type !== 'pipeline'
    ? []
    : Object.values(component.jobs).flatMap(({ component: of }) =>
        'reference' in of ? [of.reference] : referencesIn(of.inline),
      );

/** Loads all components that a pipeline names, directly or through another, each once, some at a time. */
export async function loadComponents(
  pipeline: PipelineComponent,
  load: (reference: string) => Promise<StepComponent | undefined>,
): Promise<Lookup> {
  const loaded = new Map<string, StepComponent | undefined>();
  for (let wanted = new Set(referencesIn(pipeline)); wanted.size > 0;) {
    const found = await mapBounded([...wanted], 8, async (reference) => ({
      reference,
      component: await load(reference),
    }));
    for (const { reference, component } of found) loaded.set(reference, component);
    wanted = new Set(
      found
        .flatMap(({ component }) => (component === undefined ? [] : referencesIn(component)))
        .filter((reference) => !loaded.has(reference)),
    );
    if (loaded.size > MAX_STEPS) break;
  }
  return (reference) => loaded.get(reference);
}

/** Why a pipeline cannot be laid out flat: it holds itself, or too many steps. */
export function sizeFault(pipeline: PipelineComponent, lookup: Lookup): Fault | undefined {
  const sizes = new Map<StepComponent, number>();
  const sizeOf = (component: StepComponent, depth: number): number => {
    const known = sizes.get(component);
    if (known !== undefined) return known;
    if (component.type !== 'pipeline') return 1;
    if (depth > MAX_DEPTH) return Infinity;
    let size = 0;
    for (const step of Object.values(component.jobs)) {
      const inner = componentOf(step, lookup);
      size += inner === undefined ? 1 : sizeOf(inner, depth + 1);
    }
    sizes.set(component, size);
    return size;
  };
  const size = sizeOf(pipeline, 0);
  if (size === Infinity)
    return { path: 'jobs', message: `nests pipelines deeper than ${MAX_DEPTH}, or a pipeline in itself` };
  return size > MAX_STEPS
    ? { path: 'jobs', message: `holds ${size} steps; at most ${MAX_STEPS} fit a job` }
    : undefined;
}
