import type { Readable } from 'node:stream';

/**
 * The types of a JavaScript or TypeScript scoring module. Types only: a module imports them with `import type`, from wherever
 * this file lies when it is written, and needs nothing of it when it runs.
 */

/** What a deployment's module exports. */
export interface ScoringModule {
  /** Once in each worker process, before its first mini-batch: load the model here. */
  init?(context: ModuleContext): void | Promise<void>;
  /** For each mini-batch. At least one row for each file: Azure ML counts the shortfall as failed files. */
  run(miniBatch: readonly MiniBatchFile[], context: RunContext): Rows | Promise<Rows>;
}

/** A file of the mini-batch, on this machine. */
export interface MiniBatchFile {
  /** Path below the job's input. */
  readonly name: string;
  /** Absolute path of the file here. A small file lies in memory and is written when this is read: `bytes()` costs less. */
  readonly path: string;
  bytes(): Promise<Buffer>;
  /** As UTF-8. */
  text(): Promise<string>;
  stream(): Readable;
}

export interface ModuleContext {
  /** Folder in which the registered model lies under its own base name, file or folder: `AZUREML_MODEL_DIR`. */
  readonly model: string;
  readonly logger: Logger;
}

export interface RunContext extends ModuleContext {
  /** Aborts when the mini-batch's time is over or its job is cancelled; a second later the worker process is ended. */
  readonly signal: AbortSignal;
  /** With `summary_only`, files written here become part of the job's output. */
  readonly outputFolder: string;
}

/** Writes a line to the job's log, from the deployment's `logging_level` on. Takes what `console.log` takes. */
export interface Logger {
  debug(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
}

/** Rows are taken one by one: what is iterated over need not fit in memory. */
export type Rows = Iterable<Row | Promise<Row>> | AsyncIterable<Row>;

/** A value is the column `prediction`; a list is the columns 0, 1, …; an object's keys are the columns. All rows are alike. */
export type Row = Cell | readonly Cell[] | NumberList | { readonly [column: string]: Cell };

/** null, undefined and NaN are an empty cell; a Date is written as ISO 8601. */
export type Cell = number | string | boolean | bigint | Date | null | undefined;

export type NumberList =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;
