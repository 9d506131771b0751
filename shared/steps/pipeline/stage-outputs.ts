import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import { blockId, MAX_PLANNED_BLOCKS } from '../../domain/blocks.ts';
import { JobFault } from '../../domain/errors.ts';
import { mapBounded } from '../../domain/map-bounded.ts';
import { uploadBlocks } from '../../storage/block-upload.ts';
import { type Blobs, StorageFault } from '../../storage/ports.ts';
import { outputBlob, type OutputFile } from './output-files.ts';
import type { StagedFile, StagedOutput, StepPlace } from './step-manifest.ts';

/** Files on their way at once; each holds three blocks at most. */
const UPLOADS = 4;
const MIB = 1024 ** 2;
const BLOCK_BYTES = 4 * MIB;

/** Who stages: block ids name it, so that two attempts never share one. */
export interface Stager {
  readonly blobs: Blobs;
  readonly stepRun: string;
  readonly attempt: string;
  readonly signal: AbortSignal;
}

/** Stages files as uncommitted blocks of the blobs that they become. Throws JobFault where another's blocks are in the way. */
export async function stageOutput(
  stager: Stager,
  place: StepPlace,
  files: readonly OutputFile[],
): Promise<StagedOutput> {
  const staged = await mapBounded(files, UPLOADS, (file) => stageFile(stager, place, file));
  return { ...place, files: staged };
}

async function stageFile(stager: Stager, place: StepPlace, file: OutputFile): Promise<StagedFile> {
  const { blobs, stepRun, attempt, signal } = stager;
  const ref = { container: place.container, name: outputBlob(place.path, file.path) };
  const hash = createHash('sha256');
  // The path is free of links since it was looked at; nothing may have put one there since.
  await using handle = await open(file.local, constants.O_RDONLY | constants.O_NOFOLLOW);
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
