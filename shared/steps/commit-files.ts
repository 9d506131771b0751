import { blockId } from '../domain/blocks.ts';
import type { Totals } from '../domain/job.ts';
import type { Linked } from '../domain/receipts.ts';
import { headerLine } from '../formats/csv-encoder.ts';
import type { BlobRef, Blobs } from '../storage/ports.ts';
import { commitBlob, JOB_MARK, TOTALS_MARK } from './commit-blob.ts';
import type { JobDeps } from './deps.ts';
import { errorLine, isStale } from './errors-file.ts';
import { writtenUri } from './job-address.ts';
import type { Plan } from './job-files.ts';
import { outputBlobs } from './job-storage.ts';
import { ERRORS_MARK } from './list-input.ts';

/** Metadata name that tells a whole output from one that was salvaged. */
const COMPLETE_MARK = 'batchpoint_complete';

/** All mini-batches of a job, or those that were finished when it stopped. */
export type Extent = 'whole' | 'part';

/**
 * Commits the errors file. Answers where it is; null when there are no errors, and then none of an earlier job stay beside this
 * one's output. Throws JobFault.
 */
export async function commitErrors(
  deps: JobDeps,
  { manifest }: Plan,
  { errors, late }: Linked,
  extent: Extent,
): Promise<string | null> {
  const target = manifest.errors;
  const blobs = await outputBlobs(deps, manifest, target.datastore);
  const ref = { container: target.container, name: target.blob };
  const none = errors.length === 0;
  if (none) {
    const there = await blobs.head(ref);
    if (there && there.metadata[JOB_MARK] !== manifest.job && !(await isStale(deps, there.metadata))) return null;
  }
  await commitBlob({
    blobs,
    target,
    job: manifest.job,
    blockIds: await withLate(blobs, ref, manifest, errors, late),
    contentType: 'application/jsonl',
    metadata: { [ERRORS_MARK]: 'true', ...(extent === 'part' ? { [COMPLETE_MARK]: 'false' } : {}) },
    // A failed job leaves its errors file on a path whose output stayed absent; the next job there may replace it.
    mayReplace: (metadata) => isStale(deps, metadata),
  });
  if (none) {
    // The commit of nothing has thrown away what the plan and lost attempts had staged here; nothing else does.
    const made = await blobs.head(ref);
    if (made?.metadata[JOB_MARK] === manifest.job) await blobs.remove(ref, { ifMatch: made.etag });
    return null;
  }
  return writtenUri(deps, target);
}

/** The blocks of the errors, and one for each failure that only the fan-in knows, where it belongs. */
async function withLate(
  blobs: Blobs,
  ref: BlobRef,
  { job }: Plan['manifest'],
  errors: Linked['errors'],
  late: Linked['late'],
): Promise<string[]> {
  const ids = errors.map(({ id }) => id);
  for (const [index, { failure, after }] of late.entries()) {
    // The same id and bytes at every try: the list's hash must not change.
    const id = blockId(job, 0, 'late', index);
    await blobs.stageBlock(ref, id, errorLine(failure));
    ids.splice(ids.indexOf(after) + 1, 0, id);
  }
  return ids;
}

/** Commits the output, with the job's totals in its metadata. Throws JobFault. */
export async function commitOutput(
  deps: JobDeps,
  { manifest }: Plan,
  linked: Linked,
  totals: Totals,
  extent: Extent,
): Promise<void> {
  const blobs = await outputBlobs(deps, manifest, manifest.output.datastore);
  const header = new TextEncoder().encode(headerOf(manifest, linked));
  const blocks = linked.output.map((block) => block.id);
  if (header.length > 0) {
    // The same id and bytes at every try: the list's hash must not change.
    const id = blockId(manifest.job, 0, 'header', 0);
    await blobs.stageBlock({ container: manifest.output.container, name: manifest.output.blob }, id, header);
    blocks.unshift(id);
  }
  await commitBlob({
    blobs,
    target: manifest.output,
    job: manifest.job,
    blockIds: blocks,
    contentType: 'text/csv; charset=utf-8',
    metadata: { [TOTALS_MARK]: JSON.stringify(totals), [COMPLETE_MARK]: String(extent === 'whole') },
  });
}

/** Rows of a user's code have the columns that it gave them; where it gave no row, those that were asked for. */
function headerOf({ extensions }: Plan['manifest'], { columns, rowColumns }: Linked): string {
  const asked = rowColumns ? undefined : extensions.outputColumns;
  return headerLine(columns ?? asked ?? [], extensions.outputFormat, rowColumns);
}
