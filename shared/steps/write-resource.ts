import { ApiError, conflict } from '../domain/errors.ts';
import { etagOf } from '../domain/resources.ts';
import type { Versioned } from '../storage/registry/jobs-port.ts';
import type { Collection } from '../storage/registry/collection.ts';

const ATTEMPTS = 5;

/** Who changes a resource. */
export interface Author {
  readonly subject: string;
  /** `If-Match`: only the state with this ETag (`*`: any) may be changed. */
  readonly ifMatch?: string | undefined;
}

/** Throws ApiError 412 when the stored state is not the one that the author saw. */
export function checkIfMatch(stored: object | undefined, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  const asked = ifMatch.split(',').map((etag) => etag.trim());
  if (stored && asked.some((etag) => etag === '*' || etag === etagOf(stored))) return;
  throw new ApiError(412, 'PreconditionFailed', 'The resource is not in the state that If-Match names; read it again.');
}

/**
 * Writes a resource from what is stored now; when somebody else wrote in between, `make` sees the newer state. Throws ApiError
 * 409 when others are first each time, 412 when it is not the state that `ifMatch` names.
 */
export async function writeResource<T extends object, Name extends readonly string[], Parent extends readonly string[]>(
  records: Collection<T, Name, Parent>,
  name: Name,
  make: (stored: T | undefined) => T | Promise<T>,
  ifMatch?: string,
): Promise<{ record: T; created: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored: Versioned<T> | undefined = await records.get(...name);
    checkIfMatch(stored?.value, ifMatch);
    const record = await make(stored?.value);
    const written = stored ? await records.replace(record, stored.etag) : await records.create(record);
    if (written) return { record, created: stored === undefined };
  }
  throw conflict(`'${name.join('/')}' is being changed by others; try again.`);
}

/** Removes a resource whatever its state. False when it was not there. */
export async function removeResource<
  T extends object,
  Name extends readonly string[],
  Parent extends readonly string[],
>(records: Collection<T, Name, Parent>, name: Name, ifMatch?: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored: Versioned<T> | undefined = await records.get(...name);
    if (!stored) return false;
    checkIfMatch(stored.value, ifMatch);
    if (await records.remove(stored.value, stored.etag)) return true;
  }
  throw conflict(`'${name.join('/')}' is being changed by others; try again.`);
}
