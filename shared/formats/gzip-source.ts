import { createGunzip } from 'node:zlib';
import { FileFault } from './file-fault.ts';
import type { ChunkSource } from './record-reader.ts';

export interface GzipLimits {
  /** Unpacked bytes for each packed one; real tables stay far below. */
  readonly ratio: number;
  /** Unpacked bytes up to which the ratio does not count: a small file may well be all zeros. */
  readonly freeBytes: number;
  /** Unpacked bytes at most, whatever the ratio. */
  readonly bytes: number;
}

export const GZIP_LIMITS: GzipLimits = { ratio: 100, freeBytes: 64 * 1024 ** 2, bytes: 64 * 1024 ** 3 };

/** An unpacked file lies on this machine's disk: far less of it than what is read as a stream. */
const DISK_LIMITS: GzipLimits = { ...GZIP_LIMITS, bytes: 10 * 1024 ** 3 };

/**
 * Unpacks a gzip file (of one or more members) as it is read; no more is unpacked than is asked for. Throws FileFault `BadGzip` for
 * what is not gzip or ends early, `GzipBomb` for what unpacks to more than the limits.
 */
export function gunzipped(source: ChunkSource, limits: GzipLimits = GZIP_LIMITS): ChunkSource {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  const unpacked = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let bytes = 0;
  let started = false;
  /** The source's own error, to tell it from what is wrong with its bytes. */
  let lost: { readonly error: unknown } | undefined;

  async function feed(): Promise<void> {
    for (;;) {
      const chunk = await source.next();
      if (chunk === undefined || gunzip.destroyed) break;
      // The chunk is the source's again once it was worked off.
      await new Promise<void>((resolve) => gunzip.write(chunk, () => resolve()));
    }
    gunzip.end();
  }

  return {
    async next() {
      if (!started) {
        started = true;
        feed().catch((error: unknown) => {
          lost = { error };
          gunzip.destroy();
        });
      }
      let step: IteratorResult<Buffer, unknown>;
      try {
        step = await unpacked.next();
      } catch (error) {
        if (lost !== undefined) throw lost.error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new FileFault('BadGzip', `The file is not whole gzip data: ${reason}.`, { offset: bytes });
      }
      if (lost !== undefined) throw lost.error;
      if (step.done === true) return undefined;
      bytes += step.value.length;
      if (bytes > limits.bytes || (bytes > limits.freeBytes && bytes > gunzip.bytesWritten * limits.ratio)) {
        gunzip.destroy();
        throw new FileFault(
          'GzipBomb',
          `The file unpacks to more than ${limits.bytes} bytes, or to more than ${limits.ratio} times its size.`,
          { offset: bytes - step.value.length },
        );
      }
      return step.value;
    },
    close() {
      gunzip.destroy();
      source.close();
    },
  };
}

/** Unpacks a gzip file that is to lie on disk, with less room than one that is read as a stream. Throws as `gunzipped` does. */
export async function* unpackedForDisk(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const packed = {
    async next() {
      const step = await chunks.next();
      return step.done === true ? undefined : step.value;
    },
    close: () => undefined,
  };
  const source = gunzipped(packed, DISK_LIMITS);
  try {
    for (let chunk = await source.next(); chunk; chunk = await source.next()) yield chunk;
  } finally {
    source.close();
    // A body that is left early ends its connection.
    await chunks.return?.();
  }
}
