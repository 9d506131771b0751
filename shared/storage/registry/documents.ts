import { z } from 'zod';
import { sha256 } from '../../domain/blocks.ts';
import { readJson, writeJsonOnce } from '../json-blobs.ts';
import type { Blobs, TableRow, TableValues } from '../ports.ts';
import { REGISTRY_CONTAINER } from './app-key.ts';

/** Rows stay small (S3.3); a column of text holds 32 Ki characters at most. */
const MAX_IN_ROW = 8 * 1024;

/** A document as a row holds it; undefined when it is too large for one. */
export function inRow(document: unknown): string | undefined {
  const text = JSON.stringify(document);
  return Buffer.byteLength(text) <= MAX_IN_ROW ? text : undefined;
}

/** Documents of any size behind table rows. */
export interface Documents {
  pack(document: unknown): Promise<TableValues>;
  /** Throws when the row's document is gone or does not fit the schema. */
  unpack<T extends z.ZodType>(row: TableRow, schema: T): Promise<z.infer<T>>;
}

/**
 * Keeps a small document in its row and a large one in a JSON blob named by its hash: the blob is written before the row that
 * names it and never changes, so a row always leads to the whole document that was stored with it. Blobs whose row is gone
 * stay, because another row may hold the same document.
 */
export function documents(blobs: Blobs): Documents {
  const blobOf = (hash: string) => ({ container: REGISTRY_CONTAINER, name: `documents/${hash}.json` });
  return {
    async pack(document) {
      const text = inRow(document);
      if (text !== undefined) return { document: text };
      const hash = sha256(JSON.stringify(document));
      await blobs.ensureContainer(REGISTRY_CONTAINER);
      await writeJsonOnce(blobs, blobOf(hash), document);
      return { hash };
    },

    async unpack(row, schema) {
      const text = row.values['document'];
      if (typeof text === 'string') return schema.parse(JSON.parse(text));
      const hash = z.string().parse(row.values['hash']);
      const found = await readJson(blobs, blobOf(hash), schema);
      if (found === undefined) throw new Error(`document ${hash} of row ${row.partition} ${row.row} is gone`);
      return found;
    },
  };
}
