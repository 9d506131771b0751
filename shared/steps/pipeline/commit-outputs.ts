import { mapBounded } from '../../domain/map-bounded.ts';
import { commitBlob } from '../commit-blob.ts';
import type { StepDeps } from './step-deps.ts';
import type { StepManifest } from './step-manifest.ts';

const COMMITS = 16;

/** Metadata of a step's file: which step and attempt made it. */
const STEP_MARK = 'batchpoint_step';
const ATTEMPT_MARK = 'batchpoint_attempt';

/**
 * Makes the files of the attempt that won appear, each of them whole. May be called again after a crash, also when it had already
 * ended: a file that is there with this attempt's marks is done. Another's file at the path is replaced, as Azure ML does. Throws
 * JobFault when the blocks are gone or another writes the same paths at this moment.
 */
export async function commitStepOutputs(deps: Pick<StepDeps, 'datastore'>, manifest: StepManifest): Promise<void> {
  const { job, stepRun, attempt } = manifest;
  const files = [...Object.values(manifest.outputs), ...manifest.models].flatMap((place) =>
    place.files.map((file) => ({ ...file, place })),
  );
  await mapBounded(files, COMMITS, async ({ blob, blockIds, place: { datastore, container } }) => {
    const store = deps.datastore(datastore);
    if (!store) throw new Error(`datastore ${datastore} is not configured any more`);
    await commitBlob({
      blobs: store.blobs,
      target: { datastore, container, blob },
      job,
      blockIds,
      contentType: 'application/octet-stream',
      metadata: { [STEP_MARK]: stepRun, [ATTEMPT_MARK]: attempt },
      mayReplace: async () => true,
    });
  });
}
