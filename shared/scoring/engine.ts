/**
 * What the scoring step asks of a model. An engine is loaded once per process and model version and scores one file at a
 * time as a stream of bytes; everything heavy happens off the event loop.
 */

// Defined where files are read, so that formats need nothing of scoring.
export { FileFault } from '../formats/file-fault.ts';

/** A record or file that could not be scored: data, not an exception. */
export interface RecordFailure {
  /** Zero-based data row of the file (the header does not count); absent when the whole file failed. */
  readonly row?: number;
  /** One-based line of the file where the record starts; absent in formats without lines. */
  readonly line?: number;
  /** Byte at which the record starts, in the unpacked file; absent in formats whose records have none. */
  readonly offset?: number;
  /** Stable word for programs, e.g. `TooFewColumns`, `MissingValue`, `NotANumber`. */
  readonly code: string;
  /** One sentence for people, naming column and value; never longer than 300 characters. */
  readonly reason: string;
}

/** A part of a file's result. `bytes` are whole output records, already encoded; the receiver owns the buffer. */
export interface ScoredPart {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly failures: readonly RecordFailure[];
}

export interface FileToScore {
  /** As it appears in the output's `file` column. Its ending tells the format. */
  readonly name: string;
  /** As storage has it: `gzip` is unpacked. */
  readonly contentEncoding?: string | undefined;
  /** Bytes, as stored. */
  readonly length: number;
  /** The whole file, consumed with backpressure, for formats that are read as a stream. Its errors pass through `score` unchanged. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes [offset, offset + count), for formats that are read in pieces. Its errors pass through `score` unchanged. */
  range(offset: number, count: number): Promise<Uint8Array>;
}

export type OutputFormat = 'csv' | 'azureml';

/** How the engine reads and writes, from the deployment's settings and `batchpoint.` properties. */
export interface ScoringOptions {
  readonly outputFormat: OutputFormat;
  readonly csvHeader: boolean;
  readonly csvDelimiter: string;
  /** What an empty cell of a numeric column means: the record fails, or the model sees NaN. */
  readonly missing: 'error' | 'nan';
}

/** A model that cannot be used (not ONNX, inputs of a kind that we cannot feed). Refused when the deployment is created. */
export class ModelFault extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ModelFault';
  }
}

export interface Engine {
  /** Names of the prediction columns, without `file` and `row`. Known when loaded. */
  readonly columns: readonly string[];
  /**
   * Scores one file in row order. Throws FileFault for the file's fault, the body's own error for a read fault, and any
   * other Error for a failure of the engine (retried by the caller). An aborted `signal` really stops the work.
   */
  score(file: FileToScore, options: ScoringOptions, signal: AbortSignal): AsyncIterable<ScoredPart>;
  close(): Promise<void>;
}
