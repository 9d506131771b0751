import { badRequest, JobFault } from './errors.ts';
import type { FileRange, PartLimit } from './file-ranges.ts';
import type { MiniBatchUnit } from './mini-batch-unit.ts';
import type { InputFile, Manifest } from './plan.ts';
import { startOf } from './segments.ts';
import { EXTENSION_PREFIX, type ScoringSettings } from './settings.ts';

/** A file as it is scored: the whole of it, or one of the ranges that it was cut into. */
export interface InputPiece extends InputFile {
  readonly piece?: {
    /** Place of the file in the manifest. */
    readonly file: number;
    /** Place among the file's ranges, and how many it has. */
    readonly index: number;
    readonly of: number;
    readonly range: FileRange;
    /** More of what the plan made one range comes after this part of it. */
    readonly goesOn?: boolean;
  };
}

/** Where a mini-batch begins: places of a file, and of a range of it. */
export type PieceStart = [file: number, range: number];

/** Where nobody says how large a mini-batch is. */
export const DEFAULT_SIZE: Readonly<Record<MiniBatchUnit, number>> = {
  files: 10,
  records: 10_000,
  bytes: 16 * 1024 * 1024,
};

const MAX_FILES = 1_000_000;
/** Fewer bytes cost more requests than scoring; and a size that was meant for files or records shows. */
const MIN_BYTES = 64 * 1024;

/** Throws ApiError 400 for a size that its unit does not have. */
export function checkMiniBatchSize({ miniBatchSize }: ScoringSettings, unit: MiniBatchUnit): void {
  const target = 'properties.miniBatchSize';
  if (unit === 'files' && miniBatchSize > MAX_FILES)
    throw badRequest(`${target}: must be at most ${MAX_FILES} files`, target);
  if (unit === 'bytes' && miniBatchSize < MIN_BYTES)
    throw badRequest(
      `${target}: must be at least ${MIN_BYTES}, because ${EXTENSION_PREFIX}miniBatchUnit is bytes`,
      target,
    );
}

/** Why something cannot be scored with in another unit than files. */
export const takesWholeFiles = (what: string): string =>
  `${what} takes whole files: set the property ${EXTENSION_PREFIX}miniBatchUnit to 'files', or score an ONNX model without code.`;

/** A plan of more than a job may have. */
export const tooManyMiniBatches = (most: number, count = `more than ${most}`): JobFault =>
  new JobFault(
    'TooManyMiniBatches',
    `The job has ${count} mini-batches, and may have at most ${most}: raise miniBatchSize.`,
  );

const piecesOf = (file: InputFile): number => file.split?.ranges.length ?? 1;

function pieceOf(file: InputFile, place: number, index: number): InputPiece {
  const range = file.split?.ranges[index];
  return range ? { ...file, piece: { file: place, index, of: piecesOf(file), range } } : file;
}

/** The files, or ranges of files, of one mini-batch of a segment, by its number in the job; in input order. */
export function filesOf(
  manifest: Pick<Manifest, 'files' | 'miniBatches' | 'settings' | 'begins'>,
  numberInJob: number,
): InputPiece[] {
  const { files, miniBatches, settings } = manifest;
  const miniBatch = numberInJob - startOf(manifest).miniBatches;
  if (!miniBatches) return files.slice(miniBatch * settings.miniBatchSize, (miniBatch + 1) * settings.miniBatchSize);
  const [firstFile, firstRange] = miniBatches[miniBatch] ?? [files.length, 0];
  const [lastFile, lastRange] = miniBatches[miniBatch + 1] ?? [files.length, 0];
  const pieces: InputPiece[] = [];
  for (let place = firstFile; place <= lastFile; place++) {
    const file = files[place];
    if (!file) break;
    const to = place === lastFile ? lastRange : piecesOf(file);
    for (let index = place === firstFile ? firstRange : 0; index < to; index++)
      pieces.push(pieceOf(file, place, index));
  }
  return pieces;
}

/** How the pieces of all files make mini-batches. */
export interface MiniBatches {
  /** Absent where each has `miniBatchSize` files. */
  readonly starts?: PieceStart[];
  /** Bytes of each. */
  readonly bytes: readonly number[];
}

/** Mini-batches of so many files. Throws JobFault where they are, with those before, more than `most`. */
export function filesTogether(
  files: readonly InputFile[],
  miniBatchSize: number,
  { most, before = 0 }: Pick<PartLimit, 'most' | 'before'>,
): MiniBatches {
  const count = Math.ceil(files.length / miniBatchSize);
  if (before + count > most) throw tooManyMiniBatches(most, String(before + count));
  const bytes = new Array<number>(count).fill(0);
  for (const [place, { length }] of files.entries()) {
    const miniBatch = Math.floor(place / miniBatchSize);
    bytes[miniBatch] = (bytes[miniBatch] ?? 0) + length;
  }
  return { bytes };
}

/**
 * Packs files and ranges of files into mini-batches of at most `size` records or bytes, as long as one of them alone is not more;
 * `sizes` has the size of each file that is not cut. Each piece counts at least 1. Throws JobFault as `filesTogether` does.
 */
export function packPieces(
  files: readonly InputFile[],
  { unit, size, most, before = 0 }: PartLimit,
  sizes: readonly number[],
): MiniBatches {
  const starts: PieceStart[] = [];
  const bytes: number[] = [];
  let room = 0;
  for (const [place, file] of files.entries()) {
    const ranges = file.split?.ranges ?? [undefined];
    for (const [index, range] of ranges.entries()) {
      const length = range ? range.to - range.from : file.length;
      const own = range ? (unit === 'records' ? range.records : length) : (sizes[place] ?? 0);
      const counts = Math.max(1, own);
      if (starts.length === 0 || counts > room) {
        if (before + starts.length === most) throw tooManyMiniBatches(most);
        starts.push([place, index]);
        bytes.push(0);
        room = size;
      }
      room -= counts;
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + length;
    }
  }
  return { starts, bytes };
}
