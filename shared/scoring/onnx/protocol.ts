import type { MessagePort } from 'node:worker_threads';
import { FileFault, ModelFault, type FileToScore, type ScoredPart, type ScoringOptions } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';
import type { BatchRest, SharedBatch } from './shared-batch.ts';

/** Bytes of one chunk on their way to a worker. The buffer comes back as a `credit` to be filled again. */
export const CHUNK_BYTES = 256 * 1024;
/** Chunks between the reader and a worker, and parts between a worker and whoever takes them. */
export const CHUNKS_IN_FLIGHT = 8;
export const PARTS_IN_FLIGHT = 4;

/** Places of the numbers that a worker shares with whoever may end it. */
export const STOPPED = 0;
export const IN_NATIVE_CODE = 1;

/** What a worker is told of a file; it asks for the bytes. */
export type FileFacts = Pick<FileToScore, 'name' | 'length' | 'contentEncoding' | 'part'>;

export type ToWorker =
  | { readonly kind: 'load'; readonly model: Uint8Array; readonly signature: Signature | undefined }
  /** With `bytes`, all of its body is there; else the worker asks for it. */
  | {
      readonly kind: 'start';
      readonly file: FileFacts;
      readonly options: ScoringOptions;
      readonly bytes?: Uint8Array | undefined;
    }
  | { readonly kind: 'chunk'; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly kind: 'end' }
  /** The answer to a `range`: ranges are answered in the order of asking. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A part was taken: there is room for another. */
  | { readonly kind: 'taken' }
  /** A thread that scores batches of the file under way. */
  | { readonly kind: 'second'; readonly port: MessagePort }
  /** Be that thread, until the port closes or a `recall`. */
  | { readonly kind: 'assist'; readonly port: MessagePort; readonly fileName: string; readonly options: ScoringOptions }
  | { readonly kind: 'recall' };

export type FromWorker =
  | { readonly kind: 'loaded'; readonly columns: readonly string[] }
  /** The file's chunks are wanted, until `end`. */
  | { readonly kind: 'stream' }
  | { readonly kind: 'range'; readonly offset: number; readonly count: number }
  | { readonly kind: 'credit'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'part'; readonly part: ScoredPart }
  /** The file is long enough for more threads. */
  | { readonly kind: 'long' }
  /** The thread assists no more. */
  | { readonly kind: 'assisted' }
  /** With the last part, of a file that came with its bytes. */
  | { readonly kind: 'done'; readonly part?: ScoredPart | undefined }
  | { readonly kind: 'failed'; readonly error: SentError };

/** From the thread that reads a file to one that scores batches of it: a batch, which the reader touches no more until its answer. */
export interface ToSecond {
  readonly id: number;
  readonly records: number;
  readonly batch: SharedBatch;
  readonly rest: BatchRest;
}

export type FromSecond =
  { readonly id: number; readonly part: ScoredPart } | { readonly id: number; readonly error: SentError };

/** Bytes that can be moved whole: a view on a buffer that holds more (Node's pool, which cannot be moved) is copied. */
export const movable = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
};

/** Structured clone keeps no subclass of Error: the faults travel as plain objects. */
export interface SentError {
  readonly type: 'FileFault' | 'ModelFault' | 'Error';
  readonly code: string;
  readonly message: string;
  readonly line: number | undefined;
  readonly offset: number | undefined;
}

export function toSent(error: unknown): SentError {
  if (error instanceof FileFault) {
    return { type: 'FileFault', code: error.code, message: error.message, line: error.line, offset: error.offset };
  }
  const type = error instanceof ModelFault ? 'ModelFault' : 'Error';
  return {
    type,
    code: '',
    message: error instanceof Error ? error.message : String(error),
    line: undefined,
    offset: undefined,
  };
}

export function fromSent({ type, code, message, line, offset }: SentError): Error {
  switch (type) {
    case 'FileFault':
      return new FileFault(code, message, { line, offset });
    case 'ModelFault':
      return new ModelFault(message);
    case 'Error':
      return new Error(message);
  }
}
