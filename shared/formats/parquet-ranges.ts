import { FileFault } from './file-fault.ts';
import type { RecordSource } from './record-reader.ts';

/** Pieces of a file by their place, with one of them kept, so that many small reads cost one request. */
export interface RangeReader {
  /** Bytes of the file. */
  readonly length: number;
  /** Fetches [from, to) and keeps it in the place of what was kept before. */
  keep(from: number, to: number): Promise<void>;
  /** Bytes [from, to). Throws FileFault `BadParquet` when the file has not so many. */
  read(from: number, to: number): Promise<Uint8Array>;
}

export function rangeReader(source: Pick<RecordSource, 'length' | 'range'>): RangeReader {
  const { length } = source;
  let keptFrom = 0;
  let kept: Uint8Array = new Uint8Array(0);

  async function fetch(from: number, to: number): Promise<Uint8Array> {
    if (from < 0 || to > length || from > to) {
      throw new FileFault(
        'BadParquet',
        `The file points to bytes ${from} to ${to}, but has ${length}: it is not whole.`,
      );
    }
    if (from === to) return new Uint8Array(0);
    const bytes = await source.range(from, to - from);
    if (bytes.length !== to - from) throw new Error(`storage answered ${bytes.length} bytes for ${to - from}`);
    return bytes;
  }

  return {
    length,
    async keep(from, to) {
      kept = await fetch(from, to);
      keptFrom = from;
    },
    async read(from, to) {
      if (from >= keptFrom && to <= keptFrom + kept.length) return kept.subarray(from - keptFrom, to - keptFrom);
      return fetch(from, to);
    },
  };
}
