import { blobEvent } from '../domain/blob-event.ts';
import { BLOB_EVENTS_QUEUE } from '../domain/queue-names.ts';
import { parseDataUri } from '../domain/uri.ts';
import { datastoreOf } from './deps.ts';
import { uriRules } from './datastore-source.ts';
import type { TriggerDeps } from './trigger-deps.ts';

/**
 * Writes the message that Event Grid would send for a blob, where there is no Event Grid. It names the version that is there
 * now: when the blob was overwritten since, that is the one that counts. Throws ApiError for a blob that lies in no datastore.
 */
export async function announceBlob(deps: TriggerDeps, uri: string): Promise<void> {
  const { datastore, container, path } = parseDataUri(uri, await uriRules(deps), 'uri');
  const { blobs } = await datastoreOf(deps, datastore);
  const found = await blobs.head({ container, name: path });
  if (found) await deps.queue(BLOB_EVENTS_QUEUE).send(JSON.stringify(blobEvent(uri, found.etag)));
}
