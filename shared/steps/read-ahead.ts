import type { InputPiece } from '../domain/mini-batches.ts';
import { formatOf } from '../formats/file-format.ts';
import type { FileToScore } from '../scoring/engine.ts';
import { within } from '../scoring/within.ts';
import { collect } from '../storage/json-blobs.ts';
import { storedFile, type StoredIn } from './stored-file.ts';

type Place = Omit<StoredIn, 'signal'>;

/** Bytes up to which a file, or a range of one, is read before its turn. */
const SMALL = 256 * 1024;

/** So many files ahead: a slice holds 4 MiB of them at most, twice that after a failed try. */
const DISTANCE = 16;

/** Reads small files while those before them are scored, so that their requests wait for each other no more. */
export interface ReadAhead {
  /** The files to come, in order; iterated only as far as is read ahead. What was read of others before is kept. */
  follow(files: Iterable<InputPiece>): void;
  /**
   * The next file, with its bytes where they were read. What went wrong meanwhile is forgotten: the file is then read, and its
   * fault told, in its turn. Throws the signal's reason.
   */
  take(file: InputPiece, signal: AbortSignal): Promise<TakenFile>;
  /** Gives up all that was read. Answers when nothing is on its way any more. */
  forget(): Promise<void>;
}

export interface TakenFile {
  readonly stored: FileToScore;
  /** Closes the connection of a body that was not read to its end. */
  close(): void;
}

interface EarlyRead {
  /** Undefined when it failed. */
  readonly bytes: Promise<Uint8Array | undefined>;
  abort(): void;
}

export function readAhead(place: Place): ReadAhead {
  const reads = new Map<string, EarlyRead>();
  let coming: Iterator<InputPiece> = [].values();
  /** Files between the one whose turn it is and the last one looked at. */
  let distance = 0;

  function advance(): void {
    while (distance < DISTANCE) {
      const step = coming.next();
      if (step.done === true) return;
      const file = step.value;
      // Nobody will take it.
      if (file.fault) continue;
      distance++;
      const key = keyOf(file);
      if (isSmall(file) && !reads.has(key)) reads.set(key, readEarly(place, file));
    }
  }

  return {
    follow(files) {
      coming = files[Symbol.iterator]();
      distance = 0;
      advance();
    },
    async take(file, signal) {
      const key = keyOf(file);
      const early = reads.get(key);
      reads.delete(key);
      distance = Math.max(0, distance - 1);
      advance();
      const bytes = early && (await bytesOf(early, signal));
      return bytes ? takeFromMemory(place, file, bytes, signal) : takeFromStorage(place, file, signal);
    },
    async forget() {
      const all = [...reads.values()];
      reads.clear();
      coming = [].values();
      for (const { abort } of all) abort();
      await Promise.all(all.map(({ bytes }) => bytes));
    },
  };
}

const keyOf = ({ blob, etag, piece }: InputPiece): string =>
  `${etag} ${piece ? `${piece.range.from}-${piece.range.to}` : ''} ${blob}`;

function isSmall({ name, length, piece }: InputPiece): boolean {
  if (!piece) return length <= SMALL;
  // Row groups lie anywhere in their file.
  return piece.range.to - piece.range.from <= SMALL && formatOf(name).kind !== 'parquet';
}

async function bytesOf(early: EarlyRead, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await within(() => early.bytes, signal);
  } catch (error) {
    early.abort();
    throw error;
  }
}

function readEarly(place: Place, file: InputPiece): EarlyRead {
  const over = new AbortController();
  const bytes = collect(storedFile({ ...place, signal: over.signal }, file).body).catch(() => undefined);
  return { bytes, abort: () => over.abort() };
}

function takeFromMemory(place: Place, file: InputPiece, bytes: Uint8Array, signal: AbortSignal): TakenFile {
  const stored = storedFile({ ...place, signal }, file);
  return {
    stored: {
      ...stored,
      bytes,
      body: (async function* () {
        yield bytes;
      })(),
      ...(!file.piece && { range: async (offset, count) => Uint8Array.from(bytes.subarray(offset, offset + count)) }),
    },
    close: () => undefined,
  };
}

function takeFromStorage(place: Place, file: InputPiece, signal: AbortSignal): TakenFile {
  const over = new AbortController();
  const stored = storedFile({ ...place, signal: AbortSignal.any([signal, over.signal]) }, file);
  return { stored, close: () => over.abort() };
}
