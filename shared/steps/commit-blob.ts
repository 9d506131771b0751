import { sha256 } from '../domain/blocks.ts';
import { JobFault } from '../domain/errors.ts';
import type { Target } from '../domain/plan.ts';
import { StorageFault, type Blobs } from '../storage/ports.ts';

/** How often a commit whose answer was lost is sent again, after a look has shown that it did not happen. */
const COMMITS = 4;

/** Metadata names of a file that a job has committed. */
export const JOB_MARK = 'batchpoint_job';
/** The job's totals as JSON. */
export const TOTALS_MARK = 'batchpoint_totals';
const LIST_MARK = 'batchpoint_list';

export interface Commit {
  readonly blobs: Blobs;
  readonly target: Target;
  readonly job: string;
  readonly blockIds: readonly string[];
  readonly contentType: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether the file that lies there, of these metadata, may be replaced. */
  readonly mayReplace?: (metadata: Readonly<Record<string, string>>) => Promise<boolean>;
}

/**
 * Makes the file appear whole, once. The request is never retried blindly: after a lost answer a look at the path decides,
 * by job name and block list in the metadata, whether the commit was ours (S1.4). Throws JobFault when the path is
 * another's or the blocks are gone.
 */
export async function commitBlob(commit: Commit): Promise<void> {
  const { blobs, target } = commit;
  const ref = { container: target.container, name: target.blob };
  const list = sha256(commit.blockIds.join('\n'));
  const metadata = { ...commit.metadata, [JOB_MARK]: commit.job, [LIST_MARK]: list };
  let replaces: string | undefined;
  for (let round = 1; ; round++) {
    try {
      await blobs.commitBlocks(ref, commit.blockIds, {
        contentType: commit.contentType,
        metadata,
        ...(replaces === undefined ? {} : { replaces }),
      });
      return;
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error;
      const there = await blobs.head(ref);
      if (there && Object.entries(metadata).every(([name, value]) => there.metadata[name] === value)) return;
      if (there && replaces === undefined && (await commit.mayReplace?.(there.metadata))) {
        replaces = there.etag;
        continue;
      }
      if (there)
        throw new JobFault('OutputExists', `The output path was written by another while the job ran: ${target.blob}.`);
      if (error.code === 'InvalidBlockList')
        throw new JobFault(
          'OutputLost',
          `The output ${target.blob} was committed and removed, or its blocks have expired.`,
        );
      const unanswered = error.status === 0 || error.status === 429 || error.status >= 500;
      if (!unanswered || round === COMMITS) throw error;
    }
  }
}
