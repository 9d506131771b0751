import type { FileRange } from '../domain/file-ranges.ts';
import type { InputPiece } from '../domain/mini-batches.ts';
import { halveRange } from '../formats/halve-range.ts';
import type { RecordSource } from '../formats/record-reader.ts';
import { OutOfMemory, TimedOut } from '../scoring/engine.ts';
import { StorageFault } from '../storage/ports.ts';
import { ownFault, type SliceWork } from './slice-work.ts';
import { sourceOf } from './stored-file.ts';

/** Whether half of a mini-batch may do where all of it did not. */
export const isTooMuch = (fault: unknown): boolean => fault instanceof TimedOut || fault instanceof OutOfMemory;

/**
 * Two halves of some files of a mini-batch, in order; of a single one two ranges of it, where the engine scores ranges. Undefined
 * where there is nothing to halve.
 */
export async function halvesOf(
  work: SliceWork,
  pieces: readonly InputPiece[],
): Promise<readonly (readonly InputPiece[])[] | undefined> {
  const [only] = pieces;
  if (pieces.length > 1) {
    const middle = Math.ceil(pieces.length / 2);
    return [pieces.slice(0, middle), pieces.slice(middle)];
  }
  if (!only || !work.scoring.takesRanges) return undefined;
  const ranges = await rangesOf(work, only);
  return ranges?.map((piece) => [piece]);
}

async function rangesOf(work: SliceWork, file: InputPiece): Promise<readonly InputPiece[] | undefined> {
  const { manifest, input: blobs } = work;
  const { csvDelimiter: delimiter, csvHeader: header } = manifest.extensions;
  const { piece } = file;
  const sources = new Set<RecordSource>();
  // A read that stalls would keep the mini-batch for ever.
  const timer = setTimeout(() => sources.forEach((source) => source.close()), manifest.settings.timeoutSeconds * 1000);
  const open = (from: number, to: number): RecordSource => {
    const range: FileRange = { row: 0, records: 0, from, to };
    const source = sourceOf(
      { blobs, container: manifest.inputContainer },
      { ...file, piece: { file: 0, index: 0, of: 1, range } },
    );
    sources.add(source);
    return source;
  };
  try {
    const found = await halveRange(file, piece?.range, { delimiter, header }, open);
    if (!found) return undefined;
    const place = piece ?? { file: placeOf(work, file), index: 0, of: 1 };
    const last = found.ranges.length - 1;
    return found.ranges.map((range, at) => ({
      ...file,
      split: found,
      piece: {
        file: place.file,
        index: place.index,
        of: place.of,
        range,
        ...((piece?.goesOn || at < last) && { goesOn: true }),
      },
    }));
  } catch (error) {
    // The next try meets it again, and tells.
    if (ownFault(error) || error instanceof StorageFault || isAbort(error)) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

const placeOf = ({ manifest }: SliceWork, file: InputPiece): number =>
  manifest.files.findIndex(({ blob }) => blob === file.blob);
