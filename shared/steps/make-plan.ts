import { shareBlocks } from '../domain/block-budget.ts';
import type { JobSpec } from '../domain/job.ts';
import { cutLanes, type Manifest } from '../domain/plan.ts';
import { scorerFieldsOf } from '../domain/scorer.ts';
import { FIRST_SEGMENT, segmentSize, startAfter, type SegmentStart } from '../domain/segments.ts';
import type { DataAddress } from '../domain/uri.ts';
import type { Blobs } from '../storage/ports.ts';
import { claimOutput } from './claim-output.ts';
import type { JobDeps } from './deps.ts';
import { jobAddress } from './job-address.ts';
import type { Plan } from './job-files.ts';
import { inputBlobs } from './job-storage.ts';
import { laneLimit } from './lane-limit.ts';
import { listInput, pinListed, type ListedPart } from './list-input.ts';
import { outputTarget } from './output-target.ts';
import { planMiniBatches } from './plan-mini-batches.ts';

/**
 * Plans a segment of a job and stores its manifest: lists and pins its part of the input, makes mini-batches of it and cuts them into
 * lanes. The first one also reserves the output. `previous` is the segment before. Throws JobFault for what cannot be planned.
 */
export async function makePlan(deps: JobDeps, job: string, previous: Manifest | undefined): Promise<Plan> {
  const spec = await deps.jobs.spec(job);
  if (!spec) throw new Error(`the spec of job ${job} is gone`);
  const input = await jobAddress(deps, job, 'input', spec.input);
  const targets = previous ?? (await outputTarget(deps, spec));
  const { output, errors } = targets;
  const as = { job, delegation: spec.delegation };
  const blobs = await inputBlobs(deps, as, input.datastore);
  const start = previous ? startAfter(previous) : FIRST_SEGMENT;
  const [listed] = await Promise.all([
    listSegment(deps, spec, { blobs, input }, start, previous),
    !previous && claimOutput(deps, as, { output, errors }),
  ]);
  return deps.files.writePlan({
    job,
    model: spec.model,
    ...scorerFieldsOf(spec),
    settings: spec.settings,
    extensions: spec.extensions,
    ...(spec.delegation !== undefined && { delegation: spec.delegation }),
    inputDatastore: input.datastore,
    inputContainer: input.container,
    output,
    errors,
    ...(await cutSegment(deps, spec, { blobs, container: input.container }, start, listed)),
    ...(previous && { begins: start }),
  });
}

async function listSegment(
  deps: JobDeps,
  { name, settings, extensions, ...spec }: JobSpec,
  { blobs, input }: { readonly blobs: Blobs; readonly input: DataAddress },
  start: SegmentStart,
  previous: Manifest | undefined,
): Promise<ListedPart> {
  const source = { blobs, limits: deps.limits };
  if (spec.listedInput) return { files: await pinListed(source, input, await deps.files.input(name)) };
  const together = extensions.miniBatchUnit === 'files' ? settings.miniBatchSize : 1;
  const size = segmentSize(deps.segmentSizes, start.segment, together);
  const part = { from: previous?.next, before: start.files, size };
  return listInput(source, spec.input.kind, input, extensions.recursive, part);
}

/** The files of a segment, their mini-batches, and the blocks and lanes that these get. */
async function cutSegment(
  deps: JobDeps,
  spec: JobSpec,
  place: { readonly blobs: Blobs; readonly container: string },
  start: SegmentStart,
  { files: listed, next }: ListedPart,
): Promise<
  Pick<Manifest, 'files' | 'miniBatches' | 'lanes' | 'blockBytes' | 'miniBatchesPerSlice' | 'next' | 'blocks'>
> {
  const limit = { most: deps.limits.miniBatches, before: start.miniBatches };
  const planned = await planMiniBatches(place, spec, limit, listed);
  const files = [...planned.files];
  const need = {
    before: start,
    files: files.length,
    miniBatches: planned.bytes.length,
    bytes: files.reduce((sum, file) => sum + file.length, 0),
    lanes: laneLimit(spec, deps.slots),
    last: next === undefined,
  };
  const share = shareBlocks(need, deps.limits.files, deps.blockBytes);
  return {
    files,
    ...(planned.starts && { miniBatches: planned.starts }),
    lanes: cutLanes(planned.bytes, share.lanes, start.miniBatches),
    blockBytes: share.blockBytes,
    ...(share.miniBatchesPerSlice > 1 && { miniBatchesPerSlice: share.miniBatchesPerSlice }),
    ...(next && { next, blocks: share.blocks }),
  };
}
