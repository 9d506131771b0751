import type { RecordSource } from '../../shared/formats/record-reader.ts';

export interface MemorySource extends RecordSource {
  /** What was asked for: chunks that were taken, and ranges. */
  readonly asked: { chunks: number; ranges: [offset: number, count: number][] };
  readonly closed: boolean;
}

/** A file in memory, in chunks of `chunk` bytes; ranges come in buffers of their own. */
export function memorySource(bytes: Uint8Array, chunk = 65536): MemorySource {
  const asked: MemorySource['asked'] = { chunks: 0, ranges: [] };
  let position = 0;
  let closed = false;
  return {
    length: bytes.length,
    asked,
    get closed() {
      return closed;
    },
    async next() {
      if (position >= bytes.length) return undefined;
      asked.chunks++;
      const from = position;
      position += chunk;
      return bytes.subarray(from, position);
    },
    async range(offset, count) {
      asked.ranges.push([offset, count]);
      return Uint8Array.from(bytes.subarray(offset, offset + count));
    },
    close() {
      closed = true;
    },
  };
}
