import { FileFault } from './file-fault.ts';

/** A run of a file's records that is read by itself: a range of bytes of a text, or row groups of a Parquet file. */
export interface FilePart {
  /** Number of its first record in the file, from 0. */
  readonly row: number;
  readonly records: number;
  /** Offset in the file of its first byte, and of a text the one-based line that starts there. */
  readonly from: number;
  readonly line?: number | undefined;
  /**
   * Of a text: so many bytes of the file's head come before the part's own, and tell how its records are read. 0 where the part
   * has the head itself, or the file has none.
   */
  readonly headBytes: number;
}

/** What the head of a file is at fault of. Its first part tells it; the others hold nothing then. */
export class HeadFault extends Error {
  constructor(cause: FileFault) {
    super(cause.message, { cause });
    this.name = 'HeadFault';
  }
}

/** A FileFault of a file's head, as the part that is being read has to tell it: a HeadFault in all but the first. */
export const headFaultOf = (part: FilePart | undefined, error: unknown): unknown =>
  part !== undefined && part.row > 0 && error instanceof FileFault ? new HeadFault(error) : error;

/** Runs what reads the head of a file. */
export function atHead<T>(part: FilePart | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw headFaultOf(part, error);
  }
}
