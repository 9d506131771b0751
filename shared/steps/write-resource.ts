import { conflict } from '../domain/errors.ts';
import type { Versioned } from '../storage/registry/jobs-port.ts';
import type { Collection } from '../storage/registry/collection.ts';

const ATTEMPTS = 5;

/**
 * Writes a resource from what is stored now; when somebody else wrote in between, `make` sees the newer state. Throws ApiError
 * 409 when others are first each time.
 */
export async function writeResource<T, Name extends readonly string[], Parent extends readonly string[]>(
  records: Collection<T, Name, Parent>,
  name: Name,
  make: (stored: T | undefined) => T | Promise<T>,
): Promise<{ record: T; created: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored: Versioned<T> | undefined = await records.get(...name);
    const record = await make(stored?.value);
    const written = stored ? await records.replace(record, stored.etag) : await records.create(record);
    if (written) return { record, created: stored === undefined };
  }
  throw conflict(`'${name.join('/')}' is being changed by others; try again.`);
}

/** Removes a resource whatever its state. False when it was not there. */
export async function removeResource<T, Name extends readonly string[], Parent extends readonly string[]>(
  records: Collection<T, Name, Parent>,
  name: Name,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored: Versioned<T> | undefined = await records.get(...name);
    if (!stored) return false;
    if (await records.remove(stored.value, stored.etag)) return true;
  }
  throw conflict(`'${name.join('/')}' is being changed by others; try again.`);
}
