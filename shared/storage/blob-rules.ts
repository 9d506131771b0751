import type { BlobRef, ReadOptions } from './ports.ts';

const UNSAFE_IN_NAME = /[\u0000-\u001f\u007f\\]/;
const METADATA_NAME = /^[a-z_][a-z0-9_]*$/;
const METADATA_VALUE = /^[\u0020-\u007e]*$/;

/**
 * Throws on a blob name that does not survive being put into an address: the SDK rewrites `a/../b` to `b` and `a\b` to `a/b`, so
 * that another blob than the one named would be read. A programming fault: names from outside are refused before.
 */
export function checkBlobName({ container, name }: BlobRef): void {
  const rewritten = name.split('/').some((segment) => segment === '.' || segment === '..');
  if (name === '' || name.length > 1024 || rewritten || UNSAFE_IN_NAME.test(name) || !name.isWellFormed()) {
    throw new Error(`not a blob name that can be addressed: ${JSON.stringify(`${container}/${name}`)}`);
  }
}

/** Throws on metadata that storage would change: names travel as HTTP headers (no case), values as their text. */
export function checkMetadata(metadata: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (!METADATA_NAME.test(name)) throw new Error(`metadata name must match ${METADATA_NAME.source}: ${name}`);
    if (!METADATA_VALUE.test(value)) throw new Error(`metadata ${name} must be printable ASCII`);
  }
}

/** Throws on a range that HTTP cannot say: storage would take a count of 0 as "to the end". */
export function checkRange({ offset = 0, count }: ReadOptions): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`offset must be a whole number: ${offset}`);
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 1)) {
    throw new RangeError(`count must be a positive whole number: ${count}`);
  }
}

/** Throws on an empty block: Azurite takes it, Azure refuses it. */
export function checkBlock({ container, name }: BlobRef, body: Uint8Array): void {
  if (body.length === 0) throw new Error(`an empty block cannot be staged: ${container}/${name}`);
}
