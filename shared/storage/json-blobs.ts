import type { z } from 'zod';
import type { BlobRef, Blobs } from './ports.ts';
import { isConflict } from './ports.ts';

/** Collects a stream of bytes; for bodies that are known to be small. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads a JSON blob through its schema; undefined when it is absent. */
export async function readJson<T extends z.ZodType>(
  blobs: Blobs,
  ref: BlobRef,
  schema: T,
): Promise<z.infer<T> | undefined> {
  const found = await blobs.read(ref);
  return found && schema.parse(JSON.parse(new TextDecoder().decode(await collect(found.body))));
}

export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Writes a JSON blob if it is absent. True when this call wrote it. */
export const writeJsonOnce = (blobs: Blobs, ref: BlobRef, value: unknown): Promise<boolean> =>
  writeOnce(blobs, ref, encodeJson(value));

/** The same of a text that is JSON already. */
export async function writeOnce(blobs: Blobs, ref: BlobRef, json: Uint8Array): Promise<boolean> {
  try {
    await blobs.write(ref, json, { ifNoneMatch: '*', contentType: 'application/json' });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
