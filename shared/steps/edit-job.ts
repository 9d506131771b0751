import { z } from 'zod';
import { caselessObject, textMap } from '../domain/caseless.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';
import type { AnyJobView } from './any-job.ts';

const described = {
  displayName: z.string().max(255).optional(),
  description: z.string().nullable().optional(),
  tags: textMap.optional(),
};

/** A job as clients put it back after they changed it. What a job does cannot be changed any more: the rest is passed over. */
export const JobBody = caselessObject({
  properties: caselessObject({ ...described, isArchived: z.boolean().optional() }),
});

/** A change of a run by the run history; its tags and properties are added to those that are there. */
export const RunChange = caselessObject({
  ...described,
  properties: textMap.optional(),
  hidden: z.boolean().optional(),
});

export type RunChange = z.infer<typeof RunChange>;

/** Adds to the tags and properties of a job and replaces the rest that was sent. */
export async function changeJob(
  { jobs, pipelines }: { readonly jobs: Jobs; readonly pipelines: Pipelines },
  { kind, spec }: AnyJobView,
  change: RunChange,
): Promise<void> {
  const { edit } = kind === 'scoring' ? jobs : pipelines;
  await edit(spec.name, (edits) => ({
    archived: change.hidden ?? edits.archived,
    displayName: change.displayName ?? edits.displayName,
    description: change.description === undefined ? edits.description : change.description,
    tags: change.tags ? { ...(edits.tags ?? spec.tags), ...change.tags } : edits.tags,
    properties: change.properties
      ? { ...(edits.properties ?? spec.properties), ...change.properties }
      : edits.properties,
  }));
}
