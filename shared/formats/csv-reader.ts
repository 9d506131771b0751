import type { CsvOptions } from './csv-dialect.ts';
import { csvTokenizer } from './csv-tokenizer.ts';
import type { FilePart } from './file-part.ts';
import type { ChunkSource, RecordReader } from './record-reader.ts';
import type { RecordTarget } from './record-target.ts';

/** The records of a CSV file, or of a part of it. */
export function csvReader(
  options: CsvOptions,
  target: RecordTarget,
  source: ChunkSource,
  part?: FilePart,
): RecordReader {
  const tokenizer = csvTokenizer(options, target, part);
  let chunk: Uint8Array | undefined;
  let offset = 0;
  let ended = false;

  return {
    async read() {
      tokenizer.clear();
      while (!ended && !tokenizer.full) {
        chunk ??= await source.next();
        if (chunk === undefined) {
          ended = true;
          break;
        }
        offset = tokenizer.push(chunk, offset);
        if (offset < chunk.length) continue;
        chunk = undefined;
        offset = 0;
      }
      const last = ended && tokenizer.end();
      return { records: tokenizer.slots, last };
    },
    close: () => source.close(),
  };
}
