import { randomBytes } from 'node:crypto';
import type { BlobRef, Blobs } from '../ports.ts';
import { isConflict } from '../ports.ts';
import { collect } from '../json-blobs.ts';

/** The app's own container for what does not fit a row; no caller can address it. */
export const REGISTRY_CONTAINER = 'batchpoint-registry';

const KEY: BlobRef = { container: REGISTRY_CONTAINER, name: 'app-key' };
const KEY_BYTES = 32;

/**
 * The secret with which all instances of this app sign what clients hand back (page tokens, operation ids). Made once: the
 * first writer's key stands. Kept in memory after the first use.
 */
export function appKey(blobs: Blobs): () => Promise<Uint8Array> {
  let known: Promise<Uint8Array> | undefined;
  const load = async (): Promise<Uint8Array> => {
    const found = await blobs.read(KEY);
    if (found) return collect(found.body);
    await blobs.ensureContainer(REGISTRY_CONTAINER);
    const made = randomBytes(KEY_BYTES);
    try {
      await blobs.write(KEY, made, { ifNoneMatch: '*' });
      return made;
    } catch (error) {
      if (!isConflict(error)) throw error;
      return load();
    }
  };
  return async () => {
    try {
      return await (known ??= load());
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}
