/** The bytes of a file, in order. */
export interface ChunkSource {
  /** The next bytes, valid until the next call; undefined at the file's end. */
  next(): Promise<Uint8Array | undefined>;
  /** No more bytes are wanted. */
  close(): void;
}

/** A file as storage has it. Only one of the two ways is used: `next` starts a stream, `range` reads pieces. */
export interface RecordSource extends ChunkSource {
  /** Bytes. */
  readonly length: number;
  /** Bytes [offset, offset + count), in a buffer of their own. */
  range(offset: number, count: number): Promise<Uint8Array>;
}

export interface RecordBatch {
  /** Whole records in the target, in slots 0 to `records - 1`. */
  readonly records: number;
  /** The file has no more. */
  readonly last: boolean;
}

/**
 * Reads the records of one file into a `RecordTarget`, a batch at a time. Every format is one of these, and passes
 * test/contract/readers.ts.
 */
export interface RecordReader {
  /**
   * Fills the target from slot 0 on, until it has no room or the file ends. Throws FileFault for the file's fault, and the
   * source's own errors unchanged.
   */
  read(): Promise<RecordBatch>;
  close(): void;
}
