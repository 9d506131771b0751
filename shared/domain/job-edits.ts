import { z } from 'zod';

/** What people change of a job after it was made: how it is listed and described, never what it does. */
export const JobEdits = z.object({
  archived: z.boolean().default(false),
  displayName: z.string().optional(),
  description: z.string().nullable().optional(),
  /** All of them, as they now are. */
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.record(z.string(), z.string()).optional(),
});
export type JobEdits = z.infer<typeof JobEdits>;

export const NO_EDITS: JobEdits = { archived: false };

/** What of a job's spec can be edited. */
interface Described {
  readonly displayName: string;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
}

/** A job as it now describes itself. */
export const editedSpec = <Spec extends Described>(spec: Spec, edits: JobEdits): Spec => ({
  ...spec,
  displayName: edits.displayName ?? spec.displayName,
  description: edits.description === undefined ? spec.description : edits.description,
  tags: edits.tags ?? spec.tags,
  properties: edits.properties ?? spec.properties,
});
