import { readdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { MAX_PLANNED_BLOCKS } from '../domain/blocks.ts';
import { JobFault } from '../domain/errors.ts';
import { mapBounded } from '../domain/map-bounded.ts';
import { besideOutput, type Manifest, type Target } from '../domain/plan.ts';
import { noteWriter, type OutputFile } from '../domain/receipts.ts';
import { badBlobName } from '../domain/uri.ts';
import { openPlain } from '../scoring/plain-file.ts';
import { StorageFault, type Blobs } from '../storage/ports.ts';
import { blockWriter, StagingFault } from './block-writer.ts';
import { JOB_MARK } from './commit-blob.ts';

/** Stages what a user's code wrote, as the blobs that it will be once the job is committed. */
export interface OutputStaging {
  /**
   * All files of a folder. `of`: the input that they were made of. Throws JobFault for what cannot become part of the output,
   * and StagingFault.
   */
  stage(folder: string, of: string): Promise<readonly OutputFile[]>;
}

/** Files staged at once. */
const WIDTH = 4;

/** Bytes read at once. */
const CHUNK = 1024 * 1024;

/** `owner`: the slice, by whose name and attempt its blocks are told from all others. */
export function outputStaging(
  blobs: Blobs,
  manifest: Manifest,
  owner: { readonly job: string; readonly lane: number; readonly attempt: string },
): OutputStaging {
  const writers = new Map<string, string>();
  let staged = 0;

  const stageFile = async (path: string, from: string, of: string): Promise<OutputFile> => {
    const target = besideOutput(manifest.output, path);
    checkName(manifest, path, target);
    await checkAbsent(blobs, manifest.job, target);
    await using handle = await openPlain(from);
    if (!handle) throw notAFile(path);
    const { size } = await handle.stat();
    const writer = blockWriter(
      {
        blobs,
        ref: { container: target.container, name: target.blob },
        blockBytes: Math.max(manifest.blockBytes, Math.ceil(size / MAX_PLANNED_BLOCKS)),
      },
      { ...owner, attempt: `${owner.attempt} file ${staged++}` },
    );
    try {
      for await (const chunk of handle.createReadStream({ highWaterMark: CHUNK, autoClose: false }))
        await writer.append(bytes(chunk), 0);
      return { path, of, blocks: [...(await writer.finish())] };
    } catch (error) {
      throw blockedBy(error, target) ?? error;
    }
  };

  return {
    async stage(folder, of) {
      const real = await realpath(folder);
      const found = await readdir(real, { recursive: true, withFileTypes: true });
      const files = found.flatMap((entry) => {
        if (entry.isDirectory()) return [];
        const from = join(entry.parentPath, entry.name);
        const path = relative(real, from).split(sep).join('/');
        if (entry.isFile()) return [{ path, from }];
        throw notAFile(path);
      });
      files.sort((a, b) => (a.path < b.path ? -1 : 1));
      const made = await mapBounded(files, WIDTH, ({ path, from }) => stageFile(path, from, of));
      // Noted at the end: a try that failed has written nothing.
      for (const file of made) noteWriter(writers, file);
      return made;
    },
  };
}

const notAFile = (path: string): JobFault =>
  new JobFault('OutputFileInvalid', `The code wrote ${told(path)}, which is neither a file nor a folder.`);

const told = (path: string): string => JSON.stringify(path.slice(0, 200));

const bytes = (chunk: unknown): Uint8Array => {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('a file is read as bytes');
};

function checkName({ output, errors }: Manifest, path: string, { blob }: Target): void {
  const bad = badBlobName(blob);
  if (bad !== undefined)
    throw new JobFault('OutputFileInvalid', `The code wrote ${told(path)}: as a blob its name ${bad}.`);
  if (blob === output.blob || blob === errors.blob)
    throw new JobFault(
      'OutputFileInvalid',
      `The code wrote ${told(path)}, which is the name of the job's own file. Give it another name.`,
    );
}

/** Blocks are never staged onto a stranger's blob. */
export async function checkAbsent(blobs: Blobs, job: string, target: Target): Promise<void> {
  const there = await blobs.head({ container: target.container, name: target.blob });
  if (there && there.metadata[JOB_MARK] !== job)
    throw new JobFault('OutputExists', `The code wrote a file that exists already in the output: ${target.blob}.`);
}

/** Storage refuses block ids of another length than those that lie there: no retry would help. */
export function blockedBy(error: unknown, { blob }: Pick<Target, 'blob'>): JobFault | undefined {
  const cause = error instanceof StagingFault ? error.cause : undefined;
  if (!(cause instanceof StorageFault && cause.code === 'InvalidBlobOrBlock')) return undefined;
  return new JobFault('OutputBlocked', `Another writer has staged blocks on the output path ${blob}.`);
}
