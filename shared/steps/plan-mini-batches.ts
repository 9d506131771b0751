import type { PartLimit } from '../domain/file-ranges.ts';
import { mapBounded } from '../domain/map-bounded.ts';
import { filesTogether, packPieces, type MiniBatches } from '../domain/mini-batches.ts';
import type { InputFile } from '../domain/plan.ts';
import type { Extensions, ScoringSettings } from '../domain/settings.ts';
import { formatOf } from '../formats/file-format.ts';
import { canBeSplit, countAndSplit, type CountedFile } from '../formats/split-file.ts';
import { ownFault } from './slice-work.ts';
import { sourceOf, type StoredIn } from './stored-file.ts';

type Place = Omit<StoredIn, 'signal'>;

export interface PlannedBatches extends MiniBatches {
  /** The input's files, those that are large cut into ranges. */
  readonly files: readonly InputFile[];
}

/** Files that are read at once while they are cut. */
const WIDTH = 4;

/** Files of which a part is read, to guess how many records the others have. */
const SAMPLES = 8;
const SAMPLE_BYTES = 64 * 1024;

/** A guess where there is no sample. */
const RECORD_BYTES = 100;
const GZIP_RATIO = 5;

/**
 * Cuts a part of the input into mini-batches, as the job's unit says. A file that may be larger than a mini-batch is read once, here, so that
 * every range of it begins with a record whose row and line are known. One that cannot be cut safely is scored as one. Throws
 * JobFault for too many mini-batches.
 */
export async function planMiniBatches(
  place: Place,
  { settings, extensions }: { readonly settings: ScoringSettings; readonly extensions: Extensions },
  { most, before = 0 }: Pick<PartLimit, 'most' | 'before'>,
  files: readonly InputFile[],
): Promise<PlannedBatches> {
  const { miniBatchUnit: unit } = extensions;
  if (unit === 'files') return { files, ...filesTogether(files, settings.miniBatchSize, { most, before }) };
  const limit: PartLimit = { unit, size: settings.miniBatchSize, most, before };
  const count = (file: InputFile, limitOfFile: PartLimit, bytes?: number) =>
    counted(place, extensions, file, limitOfFile, bytes);
  const sizes = unit === 'bytes' ? files.map(({ length }) => length) : await guessRecords(files, count);
  // A guess may be wrong by half.
  const threshold = unit === 'bytes' ? limit.size : limit.size / 2;
  const cut = [...files];
  const large = [...files.entries()].filter(([at, file]) => isReadable(file) && (sizes[at] ?? 0) > threshold);
  await mapBounded(large, WIDTH, async ([at, file]) => {
    const found = await count(file, limit);
    if (!found) return;
    if (unit === 'records') sizes[at] = found.records;
    if (found.split) cut[at] = { ...file, split: found.split };
  });
  return { files: cut, ...packPieces(cut, limit, sizes) };
}

const isReadable = (file: InputFile): boolean => !file.fault && file.length > 0 && canBeSplit(file);

/** Undefined for a file that is at fault, or another by now: the slice that scores it will tell. */
async function counted(
  place: Place,
  { csvDelimiter, csvHeader }: Extensions,
  file: InputFile,
  limit: PartLimit,
  bytes?: number,
): Promise<CountedFile | undefined> {
  try {
    const csv = { delimiter: csvDelimiter, header: csvHeader };
    return await countAndSplit(file, csv, sourceOf(place, file, bytes), limit);
  } catch (error) {
    if (ownFault(error)) return undefined;
    throw error;
  }
}

/** About how many records each file has, by its length and by the first records of some of them. */
async function guessRecords(
  files: readonly InputFile[],
  count: (file: InputFile, limit: PartLimit, bytes: number) => Promise<CountedFile | undefined>,
): Promise<number[]> {
  const readable = files.filter(isReadable);
  const step = Math.max(1, Math.floor(readable.length / SAMPLES));
  const samples = readable.filter((_, at) => at % step === 0).slice(0, SAMPLES);
  let bytes = 0;
  let records = 0;
  await mapBounded(samples, WIDTH, async (file) => {
    const found = await count(file, { unit: 'records', size: Infinity, most: 1 }, SAMPLE_BYTES);
    if (!found || found.records === 0) return;
    // Of a Parquet file the footer tells of all of it.
    bytes += formatOf(file.name).kind === 'parquet' ? file.length : Math.min(file.length, SAMPLE_BYTES);
    records += found.records;
  });
  const recordBytes = records > 0 ? bytes / records : RECORD_BYTES;
  return files.map((file) => {
    const unpacked = file.length * (formatOf(file.name, file.contentEncoding).gzip ? GZIP_RATIO : 1);
    return Math.ceil(unpacked / recordBytes);
  });
}
