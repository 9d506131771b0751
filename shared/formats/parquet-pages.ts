import zlib from 'node:zlib';
import type { ColumnMetaData, Compressors, DecodedArray, PageHeader } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { convert } from 'hyparquet/src/convert.js';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { FileFault } from './file-fault.ts';
import type { ParquetColumn } from './parquet-columns.ts';
import { badParquet } from './parquet-footer.ts';
import type { RangeReader } from './parquet-ranges.ts';
import { unpackPage, type PageDecoder } from './parquet-runs.ts';
import { quoted } from './quoted.ts';

/** Bytes and values of a page, packed or unpacked; the usual are 1 MiB and at most a row group's rows. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const MAX_PAGE_VALUES = 8 * 1024 * 1024;
/** A page header is some tens of bytes, unless it carries long statistics. */
const HEADER_BYTES = 4 * 1024;

/** Node's own where it has them: faster, and they stop at the size that the page announces. */
const DECOMPRESSORS: Compressors = {
  ...compressors,
  GZIP: (input, length) => zlib.gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => zlib.brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (input, length) => zlib.zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

/** The pages of one column in one row group, one in memory at a time. */
export interface ColumnPages {
  /** Values of the page, as they are stored; null or undefined where there is none. */
  readonly values: DecodedArray;
  /** Reads the next page. Throws FileFault `BadParquet` when there is none. */
  next(): Promise<void>;
}

/** `fetchBytes` are read at once; pages are decoded from them. */
export function columnPages(
  ranges: RangeReader,
  column: ParquetColumn,
  chunk: ColumnMetaData,
  rows: number,
  fetchBytes: number,
): ColumnPages {
  const dictionaryAt = Number(chunk.dictionary_page_offset ?? 0n);
  let position =
    dictionaryAt > 0 ? Math.min(dictionaryAt, Number(chunk.data_page_offset)) : Number(chunk.data_page_offset);
  const end = position + Number(chunk.total_compressed_size);
  const what = `Column ${quoted(column.name)}`;
  const decoder: PageDecoder = {
    pathInSchema: [column.name],
    type: chunk.type,
    element: column.element,
    schemaPath: column.schemaPath,
    codec: chunk.codec,
    compressors: DECOMPRESSORS,
    parsers: RAW,
    utf8: false,
  };
  const unpackedDecoder: PageDecoder = { ...decoder, codec: 'UNCOMPRESSED' };
  let fetched: Uint8Array = new Uint8Array(0);
  let fetchedFrom = position;
  let dictionary: DecodedArray | undefined;
  let values: DecodedArray = [];
  let seen = 0;

  /** At least `count` bytes from the position, or all that the column has. */
  async function ahead(count: number): Promise<Uint8Array> {
    const to = Math.min(end, position + count);
    if (to > fetchedFrom + fetched.length) {
      fetched = await ranges.read(position, Math.min(end, position + Math.max(count, fetchBytes)));
      fetchedFrom = position;
    }
    return fetched.subarray(position - fetchedFrom);
  }

  async function readHeader(): Promise<PageHeader> {
    for (let wanted = HEADER_BYTES; ; wanted *= 8) {
      const bytes = await ahead(wanted);
      const reader = { view: viewOf(bytes), offset: 0 };
      try {
        const header = parquetHeader(reader);
        position += reader.offset;
        return header;
      } catch (error) {
        // It may be longer than what was fetched of it.
        if (position + wanted >= end || wanted > MAX_PAGE_BYTES) throw badParquet(what, error);
      }
    }
  }

  function check(header: PageHeader): void {
    const { uncompressed_page_size: unpacked, compressed_page_size: packed } = header;
    const count = (header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header)?.num_values;
    const levels = header.data_page_header_v2;
    const sizes = [unpacked, packed, header.type === 'INDEX_PAGE' ? 0 : count];
    if (levels)
      sizes.push(levels.definition_levels_byte_length, levels.repetition_levels_byte_length, levels.num_nulls);
    if (sizes.some((size) => size === undefined || !Number.isInteger(size) || size < 0) || position + packed > end) {
      throw new FileFault('BadParquet', `${what} cannot be read: a page's header makes no sense.`);
    }
    if (Math.max(unpacked, packed) > MAX_PAGE_BYTES || (count ?? 0) > MAX_PAGE_VALUES) {
      throw new FileFault(
        'PageTooLarge',
        `${what} has a page of ${unpacked} bytes and ${count ?? 0} values; at most ${MAX_PAGE_BYTES} and ${MAX_PAGE_VALUES} are read.`,
      );
    }
  }

  return {
    get values() {
      return values;
    },
    async next() {
      values = [];
      while (values.length === 0) {
        if (position >= end || seen >= rows) {
          throw new FileFault('BadParquet', `${what} has fewer values than its row group has rows.`);
        }
        const header = await readHeader();
        check(header);
        const bytes = await ahead(header.compressed_page_size);
        const page = bytes.subarray(0, header.compressed_page_size);
        position += header.compressed_page_size;
        if (header.type === 'INDEX_PAGE') continue;
        try {
          const plain = unpackPage(header, page, decoder);
          const reader = { view: viewOf(plain.page), offset: 0 };
          const { data } = readPage(reader, plain.header, unpackedDecoder, dictionary, undefined, 0);
          if (data === undefined) continue;
          if (header.type === 'DICTIONARY_PAGE') dictionary = convert(data, decoder);
          else values = data;
        } catch (error) {
          throw badParquet(what, error);
        }
        seen += values.length;
      }
    },
  };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const raw = (): never => {
  throw new Error('a value would be converted');
};
/** Values stay as they are stored: what they mean is for parquet-values.ts, exactly. */
const RAW = {
  timestampFromMilliseconds: raw,
  timestampFromMicroseconds: raw,
  timestampFromNanoseconds: raw,
  dateFromDays: raw,
  stringFromBytes: raw,
  jsonFromBytes: raw,
  geometryFromBytes: raw,
  geographyFromBytes: raw,
  uuidFromBytes: raw,
};
