import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import { canonical } from '../../domain/canonical.ts';
import { StepTracking } from '../../domain/step-tracking.ts';
import { readJson, writeJsonOnce } from '../../storage/json-blobs.ts';
import type { BlobRef, Blobs } from '../../storage/ports.ts';
import { JOBS_CONTAINER } from '../../storage/registry/jobs.ts';

/** A place of a datastore. `path` is a file, or a folder without a slash at its end. */
export const StepPlace = z.object({ datastore: z.string(), container: z.string(), path: z.string() });
export type StepPlace = z.infer<typeof StepPlace>;

/** A file that an attempt has staged at its final place, and not committed. */
export const StagedFile = z.object({
  blob: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  blockIds: z.array(z.string()),
});
export type StagedFile = z.infer<typeof StagedFile>;

export const StagedOutput = StepPlace.extend({ files: z.array(StagedFile) });
export type StagedOutput = z.infer<typeof StagedOutput>;

/** A model that the code registered with MLflow. Its files lie at the place; the app's registry does not have it yet. */
export const StagedModel = StagedOutput.extend({
  name: z.string(),
  /** As MLflow counted in this step, from 1. */
  version: z.number(),
  type: z.enum(['custom_model', 'mlflow_model']),
  description: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
});
export type StagedModel = z.infer<typeof StagedModel>;

/** All that one attempt of a step has made. Nothing of it can be read before the attempt has won and is committed. */
export const StepManifest = z.object({
  job: z.string(),
  stepRun: z.string(),
  attempt: z.string(),
  outputs: z.record(z.string(), StagedOutput),
  models: z.array(StagedModel),
  tracking: StepTracking,
});
export type StepManifest = z.infer<typeof StepManifest>;

const manifestRef = ({ job, stepRun, attempt }: Pick<StepManifest, 'job' | 'stepRun' | 'attempt'>): BlobRef => ({
  container: JOBS_CONTAINER,
  name: `${job}/steps/${stepRun}/${attempt}.json`,
});

/** Keeps a manifest. An attempt is an id that was drawn for this one run, so nobody else has written it. */
export async function writeStepManifest(systemBlobs: Blobs, manifest: StepManifest): Promise<void> {
  await writeJsonOnce(systemBlobs, manifestRef(manifest), manifest);
}

/** The manifest of an attempt; undefined when it did not get that far. */
export const readStepManifest = (
  systemBlobs: Blobs,
  attempt: Pick<StepManifest, 'job' | 'stepRun' | 'attempt'>,
): Promise<StepManifest | undefined> => readJson(systemBlobs, manifestRef(attempt), StepManifest);

/** A hash of what each output holds, the same for equal files under equal names, wherever they lie. */
export const outputVersions = ({ outputs }: Pick<StepManifest, 'outputs'>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, { path, files }]) => {
      const content = files.map(({ blob, sha256: hash }) => [blob.slice(path.length), hash]);
      return [name, sha256(canonical(content))];
    }),
  );
