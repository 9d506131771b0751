import { StorageFault } from './ports.ts';

const MAX_BREAKS = 3;

/** One open download: its bytes, and how to close its connection. */
export interface OpenDownload {
  readonly stream: NodeJS.ReadableStream;
  close(): void;
}

export interface ResumingRead {
  readonly operation: string;
  /** Bytes [offset, end) of the blob. */
  readonly offset: number;
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds between two chunks after which the line counts as broken. */
  readonly answerWithinMs: number;
  /** Opens the rest of the same version of the blob (If-Match on the first answer's ETag). */
  open(offset: number, count: number): Promise<OpenDownload>;
}

/**
 * The bytes of a download that survives a broken line: it goes on where the line broke, on the same ETag, so the bytes are those
 * of an unbroken read or it fails with `ConditionNotMet`. Three breaks without a byte between them are a `StorageFault`.
 * The SDK's own resumption is switched off: Node reports a lost line as an abort, which the SDK takes for the caller's and ends on.
 */
export async function* resumingBody(first: OpenDownload, read: ResumingRead): AsyncGenerator<Uint8Array> {
  let download = first;
  let offset = read.offset;
  let breaks = 0;
  try {
    while (true) {
      try {
        for await (const chunk of patiently(download, read.answerWithinMs)) {
          offset += chunk.length;
          breaks = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        if (read.signal?.aborted) throw read.signal.reason;
        breaks += 1;
        if (breaks >= MAX_BREAKS) throw new StorageFault(read.operation, 0, breakCode(error));
      }
      download.close();
      if (offset === read.end) return;
      download = await read.open(offset, read.end - offset);
    }
  } finally {
    download.close();
  }
}

/** Waits for each chunk only so long; the time that the consumer takes does not count. */
async function* patiently(download: OpenDownload, waitMs: number): AsyncGenerator<Uint8Array> {
  const chunks = download.stream[Symbol.asyncIterator]();
  let silent = false;
  const hangUp = (): void => {
    silent = true;
    download.close();
  };
  try {
    while (true) {
      const timer = setTimeout(hangUp, waitMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done) return;
      yield typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
    }
  } catch (error) {
    throw silent ? Object.assign(new Error('no bytes came'), { code: 'ETIMEDOUT' }) : error;
  } finally {
    await chunks.return?.();
  }
}

function breakCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNRESET';
}
