import type { Transferable } from 'node:worker_threads';
import type { RecordSource } from '../../formats/record-reader.ts';
import type { FromWorker } from './protocol.ts';

/** A file whose bytes lie on the main thread and come as messages. */
export interface MessageSource extends RecordSource {
  push(buffer: ArrayBuffer, length: number): void;
  end(): void;
  answer(bytes: Uint8Array): void;
}

/** A file that came with its bytes. */
export function memorySource(length: number, bytes: Uint8Array): RecordSource {
  let rest = bytes.length > 0 ? bytes : undefined;
  return {
    length,
    async next() {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
    range: async (offset, count) => bytes.slice(offset, offset + count),
    close: () => undefined,
  };
}

/** Asks for the file's chunks or ranges by `send`, and gives the chunks' buffers back as soon as they are read. */
export function messageSource(
  length: number,
  send: (message: FromWorker, transfer?: Transferable[]) => void,
): MessageSource {
  const chunks: { readonly buffer: ArrayBuffer; readonly length: number }[] = [];
  const answers: ((bytes: Uint8Array) => void)[] = [];
  let streaming = false;
  let ended = false;
  let closed = false;
  let reading: ArrayBuffer | undefined;
  let wake: (() => void) | undefined;

  const credit = (buffer: ArrayBuffer) => send({ kind: 'credit', buffer }, [buffer]);
  const woken = () => {
    wake?.();
    wake = undefined;
  };

  return {
    length,
    async next() {
      if (!streaming) {
        streaming = true;
        send({ kind: 'stream' });
      }
      if (reading !== undefined) credit(reading);
      reading = undefined;
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) {
          reading = chunk.buffer;
          return new Uint8Array(chunk.buffer, 0, chunk.length);
        }
        if (ended || closed) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    range(offset, count) {
      send({ kind: 'range', offset, count });
      return new Promise((resolve) => answers.push(resolve));
    },
    close() {
      closed = true;
      if (reading !== undefined) credit(reading);
      reading = undefined;
      for (const { buffer } of chunks.splice(0)) credit(buffer);
      woken();
    },
    push(buffer, length) {
      // Chunks may still come after a file has failed: their buffers go back all the same.
      if (closed) {
        credit(buffer);
        return;
      }
      chunks.push({ buffer, length });
      woken();
    },
    end() {
      ended = true;
      woken();
    },
    answer(bytes) {
      answers.shift()?.(bytes);
    },
  };
}
