import type { InputPiece } from '../domain/mini-batches.ts';
import type { RecordSource } from '../formats/record-reader.ts';
import { FileFault, type FileToScore } from '../scoring/engine.ts';
import { collect } from '../storage/json-blobs.ts';
import type { Blobs } from '../storage/ports.ts';
import { DELETED } from './slice-work.ts';

export interface StoredIn {
  readonly blobs: Blobs;
  readonly container: string;
  readonly signal: AbortSignal;
}

/**
 * A file as it was planned, or a range of it: nothing is asked of storage before somebody reads. Before the bytes of a range of a
 * text come those of the file's head. Throws FileFault when it is gone, StorageFault 412 when it is another by now.
 */
export function storedFile({ blobs, container, signal }: StoredIn, file: InputPiece): FileToScore {
  async function read(range: {
    readonly offset?: number;
    readonly count?: number;
  }): Promise<AsyncIterable<Uint8Array>> {
    const found = await blobs.read({ container, name: file.blob }, { ...range, ifMatch: file.etag, signal });
    if (!found) throw new FileFault('InputChanged', DELETED);
    return found.body;
  }
  const range = file.piece?.range;
  const head = range && range.row > 0 ? file.split?.head : undefined;
  async function* body(): AsyncGenerator<Uint8Array> {
    if (head) yield* await read({ offset: head.from, count: head.to - head.from });
    yield* await read(range ? { offset: range.from, count: range.to - range.from } : {});
  }
  return {
    name: file.name,
    contentEncoding: file.contentEncoding,
    length: file.length,
    part: range && { ...range, headBytes: head ? head.to - head.from : 0 },
    body: body(),
    range: async (offset, count) => collect(await read({ offset, count })),
  };
}

/** The first bytes of a stored file, at most `length`, as readers of records take them. Closed, it lets its connection go. */
export function sourceOf(stored: Omit<StoredIn, 'signal'>, file: InputPiece, length = file.length): RecordSource {
  const over = new AbortController();
  const { body, range } = storedFile({ ...stored, signal: over.signal }, file);
  const chunks = body[Symbol.asyncIterator]();
  let left = length;
  return {
    length: file.length,
    range,
    async next() {
      if (left <= 0) return undefined;
      const step = await chunks.next();
      if (step.done === true) return undefined;
      const chunk = step.value.subarray(0, left);
      left -= chunk.length;
      return chunk;
    },
    close: () => over.abort(),
  };
}
