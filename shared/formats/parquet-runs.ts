import type { Encoding, PageHeader } from 'hyparquet';
import type { readPage } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';

export type PageDecoder = Parameters<typeof readPage>[2];

/** Levels of a flat column are 0 or 1. */
const LEVEL_BITS = 1;
const LENGTH_BYTES = 4;

/**
 * A page unpacked, with a header that says so. Throws Error when a run of its levels or values is longer than the page has
 * values: the decoder repeats a value as often as the run says, up to a billion times in memory, before it looks.
 */
export function unpackPage(
  header: PageHeader,
  packed: Uint8Array,
  decoder: PageDecoder,
): { readonly header: PageHeader; readonly page: Uint8Array } {
  const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: size } = header;
  const unpacked = (bytes: Uint8Array, length: number) =>
    decompressPage(bytes, length, decoder.codec, decoder.compressors);
  if (second === undefined) {
    const page = unpacked(packed, size);
    if (first !== undefined) {
      const levels = decoder.element.repetition_type === 'OPTIONAL' ? sizedRuns(page, 0) : { from: 0, to: 0 };
      checkRuns(page, levels.from, levels.to, LEVEL_BITS, first.num_values);
      checkValues(page, levels.to, first.encoding, decoder, first.num_values);
    }
    return { header: { ...header, compressed_page_size: size }, page };
  }
  const valuesAt = second.repetition_levels_byte_length + second.definition_levels_byte_length;
  // Levels are never packed.
  const page =
    second.is_compressed === false
      ? packed
      : Buffer.concat([packed.subarray(0, valuesAt), unpacked(packed.subarray(valuesAt), size - valuesAt)]);
  checkRuns(page, second.repetition_levels_byte_length, valuesAt, LEVEL_BITS, second.num_values);
  checkValues(page, valuesAt, second.encoding, decoder, second.num_values);
  return {
    header: {
      ...header,
      compressed_page_size: page.length,
      data_page_header_v2: { ...second, is_compressed: false },
    },
    page,
  };
}

/** Runs after their length in bytes. */
function sizedRuns(page: Uint8Array, at: number): { readonly from: number; readonly to: number } {
  const length = new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(at, true);
  return { from: at + LENGTH_BYTES, to: at + LENGTH_BYTES + length };
}

function checkValues(page: Uint8Array, at: number, encoding: Encoding, { type }: PageDecoder, count: number): void {
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    const { from, to } = sizedRuns(page, at);
    checkRuns(page, from, to, 1, count);
  } else if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    checkRuns(page, at + 1, page.length, page[at] ?? 0, count);
  }
}

/** Walks over runs of `width` bits a value (Parquet's RLE and bit-packing hybrid) until `count` values or `to`. */
function checkRuns(page: Uint8Array, from: number, to: number, width: number, count: number): void {
  let seen = 0;
  for (let at = from; at < Math.min(to, page.length) && seen < count;) {
    let header = 0;
    let byte: number;
    let shift = 0;
    do {
      byte = page[at++] ?? 0;
      header += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte >= 0x80 && shift < 35);
    const packed = header % 2 === 1;
    const run = Math.floor(header / 2) * (packed ? 8 : 1);
    // A last group of eight may be filled up.
    if (run > count - seen + (packed ? 7 : 0)) throw new Error(`a run of ${run} values in a page of ${count}`);
    at += packed ? (run / 8) * width : (width + 7) >> 3;
    seen += run;
  }
}
