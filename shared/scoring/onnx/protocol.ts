import { FileFault, ModelFault, type ScoredPart, type ScoringOptions } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';

/** Bytes of one chunk on their way to a worker. The buffer comes back as a `credit` to be filled again. */
export const CHUNK_BYTES = 256 * 1024;
/** Chunks between the reader and a worker, and parts between a worker and whoever takes them. */
export const CHUNKS_IN_FLIGHT = 3;
export const PARTS_IN_FLIGHT = 4;

export type ToWorker =
  | { readonly kind: 'load'; readonly model: Uint8Array; readonly signature: Signature | undefined }
  | { readonly kind: 'start'; readonly name: string; readonly options: ScoringOptions }
  | { readonly kind: 'chunk'; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly kind: 'end' }
  /** A part was taken: there is room for another. */
  | { readonly kind: 'taken' };

export type FromWorker =
  | { readonly kind: 'loaded'; readonly columns: readonly string[] }
  | { readonly kind: 'credit'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'part'; readonly part: ScoredPart }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: SentError };

/** Structured clone keeps no subclass of Error: the faults travel as plain objects. */
export interface SentError {
  readonly type: 'FileFault' | 'ModelFault' | 'Error';
  readonly code: string;
  readonly message: string;
  readonly line: number | undefined;
}

export function toSent(error: unknown): SentError {
  if (error instanceof FileFault) {
    return { type: 'FileFault', code: error.code, message: error.message, line: error.line };
  }
  const type = error instanceof ModelFault ? 'ModelFault' : 'Error';
  return { type, code: '', message: error instanceof Error ? error.message : String(error), line: undefined };
}

export function fromSent({ type, code, message, line }: SentError): Error {
  switch (type) {
    case 'FileFault':
      return new FileFault(code, message, line);
    case 'ModelFault':
      return new ModelFault(message);
    case 'Error':
      return new Error(message);
  }
}
