import { randomUUID } from 'node:crypto';
import { accessFor, type DatastoreDeps } from './datastores.ts';

/** Where a client may put the files of an asset that it is about to register. */
export interface PendingUpload {
  readonly id: string;
  readonly blobUri: string;
  /** The same place with a signature that is good for an hour. */
  readonly sasUri: string;
}

/**
 * A fresh folder `LocalUpload/<id>` of the default datastore. The SDK takes the last segment of the URI for a container's name
 * and puts the files below it, which is the same address. Throws ApiError 409 when the app cannot sign.
 */
export async function startPendingUpload(deps: DatastoreDeps, caller: string): Promise<PendingUpload> {
  const store = deps.datastores.default;
  const { sasToken } = await accessFor(deps, store, 'startPendingUpload', caller);
  const id = randomUUID();
  const blobUri = `${store.address.endpoint}/${store.address.container}/LocalUpload/${id}`;
  return { id, blobUri, sasUri: `${blobUri}?${sasToken}` };
}
