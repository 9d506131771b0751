/**
 * What the scoring step asks of a model. An engine is loaded once per process and what it scores with. One kind takes one file
 * at a time as a stream of bytes; the other runs a user's code over the files of a mini-batch on this machine's disk.
 * Everything heavy happens off the event loop.
 */

import type { FilePart } from '../formats/file-part.ts';

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
  /** Names of the prediction columns, of an engine that knows them only from its results. */
  readonly columns?: readonly string[];
}

export interface FileToScore {
  /** As it appears in the output's `file` column. Its ending tells the format. */
  readonly name: string;
  /** As storage has it: `gzip` is unpacked. */
  readonly contentEncoding?: string | undefined;
  /** Bytes, as stored. */
  readonly length: number;
  /** What is scored of it; all of it when absent. */
  readonly part?: FilePart | undefined;
  /**
   * The whole file, or the head that its part needs and the part, consumed with backpressure, for formats that are read as a
   * stream. Its errors pass through `score` unchanged.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** All of `body`, where it is in memory already: taken in its place, and the engine may take the buffer over. */
  readonly bytes?: Uint8Array | undefined;
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

/** A model or code that cannot be used (not ONNX, a script without `run`). Refused when the deployment is created, where it can be. */
export class ModelFault extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ModelFault';
  }
}

/** A try of a mini-batch took longer than `retrySettings.timeout`. */
export class TimedOut extends Error {
  constructor(seconds: number) {
    super(`The mini-batch took longer than its timeout of ${seconds} s.`);
    this.name = 'TimedOut';
  }
}

/** A try of a mini-batch needed more memory than there is: a smaller one may fit. */
export class OutOfMemory extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'OutOfMemory';
  }
}

/** Why Python code failed, by what it raised: MemoryError, or one that is derived from it, as NumPy's. */
export const pythonFault = (reason: string): Error =>
  / raised [\w.]*MemoryError\b/.test(reason) ? new OutOfMemory(reason) : new Error(reason);

interface Loaded {
  /** Names of the prediction columns, without `file` and `row`; null when only the results tell. */
  readonly columns: readonly string[] | null;
  close(): Promise<void>;
}

/** Scores one file at a time: its output has the columns `file` and `row` before the prediction columns. */
export interface FileEngine extends Loaded {
  readonly kind: 'file';
  /** Whether it scores a part of a file by itself; then `FileToScore.part` may be there. */
  readonly takesParts: boolean;
  /**
   * Scores one file in row order. Throws FileFault for the file's fault, the body's own error for a read fault, and any
   * other Error for a failure of the engine (retried by the caller). An aborted `signal` really stops the work. `print` gets
   * what a model that is code prints meanwhile.
   */
  score(
    file: FileToScore,
    options: ScoringOptions,
    signal: AbortSignal,
    print?: (line: PrintedLine) => void,
  ): AsyncIterable<ScoredPart>;
}

/** A file of a mini-batch on this machine. */
export interface LocalFile {
  /** Path below the job's input, as the errors file names it. */
  readonly name: string;
  /** Absolute; its last part is the file's own. Nothing lies there where there are `bytes`. */
  readonly path: string;
  /** All of it, for an engine that takes bytes. */
  readonly bytes?: Uint8Array | undefined;
}

export interface MiniBatch {
  /** In input order, never empty. */
  readonly files: readonly LocalFile[];
  /** An empty folder of this try: with SummaryOnly, what the code writes there becomes part of the job's output. */
  readonly outputFolder: string;
}

/** A line that the user's code printed. */
export interface PrintedLine {
  /** Which of the engine's workers, from 0. */
  readonly worker: number;
  readonly stream: 'stdout' | 'stderr';
  /** Without its line end, cut to a bounded length. */
  readonly text: string;
}

export interface Run {
  readonly options: CodeOptions;
  /** Milliseconds that `run()` itself may take: waiting for a worker, its start and `init()` do not count. Then TimedOut. */
  readonly timeoutMs: number;
  /** Ends the run and the worker in it. */
  readonly signal: AbortSignal;
  /** Called for what is printed from the run's start to its end; what a worker prints while it starts goes to its first run. */
  readonly print: (line: PrintedLine) => void;
}

export interface CodeOptions {
  readonly outputFormat: OutputFormat;
  /** The output's columns, for results that name theirs: these are taken, in this order, and a missing one is empty. */
  readonly outputColumns?: readonly string[] | undefined;
  /** What `run()` returns is counted and not written: the code writes its own files. */
  readonly summaryOnly: boolean;
}

/**
 * `rows`: a part of the result, whole records, already encoded; `columns` of all parts of a mini-batch are the same.
 * `returned`: once, at the end: how many results `run()` gave, whatever they were, and with `summaryOnly` the first of them as
 * text, at most one for each file.
 */
export type MiniBatchPart =
  | { readonly type: 'rows'; readonly bytes: Uint8Array; readonly rows: number; readonly columns: readonly string[] }
  | { readonly type: 'returned'; readonly results: number; readonly items: readonly string[] };

/** Runs a user's code: a mini-batch is a list of local files, and nobody can know which of them a row came from. */
export interface MiniBatchEngine extends Loaded {
  readonly kind: 'miniBatch';
  /** Whether files may come as their bytes; else each lies at its path. */
  readonly takesBytes: boolean;
  /**
   * Throws ModelFault when the code cannot start (no `run`, a fault in `init()`), TimedOut, and any other Error, with one line
   * that says what to do, when `run()` raised, its worker ended, or its result cannot be written.
   */
  score(miniBatch: MiniBatch, run: Run): AsyncIterable<MiniBatchPart>;
}

export type Engine = FileEngine | MiniBatchEngine;
