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
  if (errors.length === 0) {
    const there = await blobs.head(ref);
    const isOurs = there?.metadata[JOB_MARK] === manifest.job;
    if (there && (isOurs || (await isStale(deps, there.metadata)))) await blobs.remove(ref, { ifMatch: there.etag });
    return null;
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

/** Stages the output's header line; answers the blocks that the output begins with: one, or none. */
export async function stageHeader(deps: JobDeps, { manifest }: Plan, linked: Linked): Promise<readonly string[]> {
  const { job, output } = manifest;
  const header = new TextEncoder().encode(headerOf(manifest, linked));
  if (header.length === 0) return [];
  const blobs = await outputBlobs(deps, manifest, output.datastore);
  // The same id and bytes at every try: the list's hash must not change.
  const id = blockId(job, 0, 'header', 0);
  await blobs.stageBlock({ container: output.container, name: output.blob }, id, header);
  return [id];
}

/** Commits the output behind its header's blocks, with the job's totals in its metadata. Throws JobFault. */
export async function commitOutput(
  deps: JobDeps,
  { manifest }: Plan,
  { linked, header, totals }: { readonly linked: Linked; readonly header: readonly string[]; readonly totals: Totals },
  extent: Extent,
): Promise<void> {
  const blobs = await outputBlobs(deps, manifest, manifest.output.datastore);
  await commitBlob({
    blobs,
    target: manifest.output,
    job: manifest.job,
    blockIds: [...header, ...linked.output.map((block) => block.id)],
    contentType: 'text/csv; charset=utf-8',
    metadata: { [TOTALS_MARK]: JSON.stringify(totals), [COMPLETE_MARK]: String(extent === 'whole') },
  });
}

/** Rows of a user's code have the columns that it gave them; where it gave no row, those that were asked for. */
function headerOf({ extensions }: Plan['manifest'], { columns, rowColumns }: Linked): string {
  const asked = rowColumns ? undefined : extensions.outputColumns;
  return headerLine(columns ?? asked ?? [], extensions.outputFormat, rowColumns);
}
