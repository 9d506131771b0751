import { createHash } from 'node:crypto';
import { blockId, MAX_PLANNED_BLOCKS } from '../../domain/blocks.ts';
import { JobFault } from '../../domain/errors.ts';
import { mapOrStop } from '../../domain/map-bounded.ts';
import { openPlain } from '../../scoring/plain-file.ts';
import { uploadBlocks } from '../../storage/block-upload.ts';
import { type Blobs, StorageFault } from '../../storage/ports.ts';
import type { Collected, CollectedModel } from './collect-outputs.ts';
import { outputBlob, type OutputFile } from './output-files.ts';
import type { StepDeps } from './step-deps.ts';
import type { StagedFile, StagedOutput, StepManifest, StepPlace } from './step-manifest.ts';

/** Files on their way at once; each holds three blocks at most. */
const UPLOADS = 4;
const MIB = 1024 ** 2;
const BLOCK_BYTES = 4 * MIB;

/** Who stages: block ids name it, so that two attempts never share one. */
interface Stager {
  readonly stepRun: string;
  readonly attempt: string;
}

/**
 * Stages all files of a step as uncommitted blocks of the blobs that they become. Throws JobFault for a datastore that is not
 * there, and where another's blocks are in the way.
 */
export async function stageStep(
  deps: Pick<StepDeps, 'datastore'>,
  stager: Stager,
  { outputs, models }: { outputs: ReadonlyMap<string, Collected>; models: readonly CollectedModel[] },
  signal: AbortSignal,
): Promise<Pick<StepManifest, 'outputs' | 'models'>> {
  const stage = async ({ place, files }: Collected): Promise<StagedOutput> => {
    const store = deps.datastore(place.datastore);
    if (!store) throw new JobFault('OutputNotFound', `The datastore '${place.datastore}' of an output does not exist.`);
    const staged = await mapOrStop(files, UPLOADS, signal, (file, stop) =>
      stageFile(store.blobs, stager, place, file, stop),
    );
    return { ...place, files: staged };
  };
  const staged: Pick<StepManifest, 'outputs' | 'models'> = { outputs: {}, models: [] };
  for (const [name, output] of outputs) staged.outputs[name] = await stage(output);
  for (const { model, ...collected } of models) {
    const { name, version, description, tags } = model;
    const type = collected.files.some(({ path }) => path === 'MLmodel') ? 'mlflow_model' : 'custom_model';
    staged.models.push({ ...(await stage(collected)), name, version, type, description, tags: { ...tags } });
  }
  return staged;
}

async function stageFile(
  blobs: Blobs,
  { stepRun, attempt }: Stager,
  place: StepPlace,
  file: OutputFile,
  signal: AbortSignal,
): Promise<StagedFile> {
  const ref = { container: place.container, name: outputBlob(place.path, file.path) };
  const hash = createHash('sha256');
  await using handle = await openPlain(file.local);
  // The path was free of links when it was looked at.
  if (!handle) throw new JobFault('BadOutput', `'${file.path.slice(0, 200)}' became a link after the command's end.`);
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of handle.createReadStream({ highWaterMark: MIB, autoClose: false })) {
      if (!(chunk instanceof Uint8Array)) continue;
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    const { blockIds, length } = await uploadBlocks(
      body(),
      (id, block) => blobs.stageBlock(ref, id, block, { signal }),
      { blockBytes: blockBytesOf(file.bytes), idOf: (sequence) => blockId(stepRun, 0, attempt, sequence) },
    );
    return { blob: ref.name, bytes: length, sha256: hash.digest('hex'), blockIds };
  } catch (error) {
    if (error instanceof StorageFault && error.code === 'InvalidBlobOrBlock')
      throw new JobFault(
        'OutputBlocked',
        `Another writer has staged blocks at '${ref.name}' in datastore ${place.datastore}; choose another path.`,
      );
    throw error;
  }
}

const blockBytesOf = (bytes: number): number =>
  Math.max(BLOCK_BYTES, Math.ceil(bytes / MAX_PLANNED_BLOCKS / MIB) * MIB);
