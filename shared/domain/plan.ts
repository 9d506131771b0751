import { z } from 'zod';
import { FileSplit } from './file-ranges.ts';
import { scorerFields } from './scorer.ts';
import { ListedTo, SegmentStart } from './segments.ts';
import { Extensions, ScoringSettings } from './settings.ts';

/** An input blob as it was when the job was planned; every read is If-Match on this ETag (B8). */
export const InputFile = z.object({
  /** Blob name in the datastore's container. */
  blob: z.string(),
  /** As it appears in the output's `file` column: the path below the input's folder. */
  name: z.string(),
  etag: z.string(),
  length: z.number(),
  /** As storage has it; absent when the bytes are the file itself. */
  contentEncoding: z.string().optional(),
  /** Found at plan to be unreadable (archived, a bad name): fails as data when its turn comes. */
  fault: z.object({ code: z.string(), reason: z.string() }).optional(),
  /** Absent when it is scored as one. */
  split: FileSplit.optional(),
});
export type InputFile = z.infer<typeof InputFile>;

/** A version of a blob: its name in the datastore's container, and its ETag with quotes. */
export const BlobVersion = z.object({ blob: z.string(), etag: z.string() });
export type BlobVersion = z.infer<typeof BlobVersion>;

/** The input of a job that reads these versions and no others, in this order. */
export const InputList = z.array(BlobVersion).min(1);
export type InputList = z.infer<typeof InputList>;

/** A contiguous run of mini-batches [from, to), by their numbers in the job, scored by one orchestration, one slice at a time. */
export const Lane = z.object({ from: z.number(), to: z.number() });
export type Lane = z.infer<typeof Lane>;

/** A blob in a datastore. */
export const Target = z.object({ datastore: z.string(), container: z.string(), blob: z.string() });
export type Target = z.infer<typeof Target>;

/** A blob in the folder of the job's output. */
export const besideOutput = ({ datastore, container, blob }: Target, path: string): Target => ({
  datastore,
  container,
  blob: blob.slice(0, blob.lastIndexOf('/') + 1) + path,
});

/**
 * All that scoring needs, in a blob: orchestrators carry counts, never lists. The plan of a large input is made in segments, each
 * of which has a manifest: its own files, mini-batches and lanes, and the same of everything else.
 */
export const Manifest = z.object({
  job: z.string(),
  model: z.object({ name: z.string(), version: z.string() }),
  ...scorerFields,
  settings: ScoringSettings,
  extensions: Extensions,
  /** As in the job's spec. */
  delegation: z.string().optional(),
  inputDatastore: z.string(),
  inputContainer: z.string(),
  files: z.array(InputFile),
  /** Where each mini-batch begins: a place in `files`, and a range of it. Absent where each has `miniBatchSize` files. */
  miniBatches: z.array(z.tuple([z.number(), z.number()])).optional(),
  lanes: z.array(Lane),
  output: Target,
  errors: Target,
  /** Bytes of one output block before it is staged. */
  blockBytes: z.number(),
  /** A slice may not end before so many; absent: it may after any. */
  miniBatchesPerSlice: z.number().optional(),
  /** Absent in the first segment. */
  begins: SegmentStart.optional(),
  /** Where the next segment's listing begins; absent in the last, and then the whole input is planned. */
  next: ListedTo.optional(),
  /** Output blocks planned for this segment; absent in the last. */
  blocks: z.number().optional(),
});
export type Manifest = z.infer<typeof Manifest>;

/**
 * Cuts the mini-batches, of which the first has the number `first`, into at most `wanted` contiguous lanes of about equal bytes; no lane is empty. Contiguous, so that a
 * slice's consecutive mini-batches can share a block and the output's order is the lanes' order.
 */
export function cutLanes(bytesOfMiniBatch: readonly number[], wanted: number, first = 0): Lane[] {
  const count = Math.min(Math.max(1, wanted), bytesOfMiniBatch.length);
  const lanes: Lane[] = [];
  let from = 0;
  // A mini-batch costs something even when its files are empty.
  let left = bytesOfMiniBatch.reduce((sum, bytes) => sum + bytes + 1, 0);
  for (let lane = 0; lane < count; lane++) {
    const share = left / (count - lane);
    const lastStart = bytesOfMiniBatch.length - (count - lane - 1);
    let to = from;
    let taken = 0;
    while (to < lastStart && (to === from || taken + (bytesOfMiniBatch[to] ?? 0) / 2 < share)) {
      taken += (bytesOfMiniBatch[to] ?? 0) + 1;
      to++;
    }
    if (lane === count - 1) to = bytesOfMiniBatch.length;
    lanes.push({ from: first + from, to: first + to });
    left -= taken;
    from = to;
  }
  return lanes;
}
