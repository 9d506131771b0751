import { readBlobEvent } from '../domain/blob-event.ts';
import { ApiError } from '../domain/errors.ts';
import { BLOB_EVENTS_QUEUE } from '../domain/queue-names.ts';
import { parseDataUri, type DataAddress } from '../domain/uri.ts';
import { uriRules } from './datastore-source.ts';
import { sendFlush } from './flush-watch.ts';
import { orPoison } from './or-poison.ts';
import type { TriggerDeps } from './trigger-deps.ts';
import { watchesOver } from './watched-deployments.ts';

/**
 * Serves a message of the queue `blob-events`: the blob version waits in every watch that it lies in, and each of them is
 * flushed when its time is up, at once when enough wait. A repeat changes nothing; it sends the flush again, because the first
 * delivery may have died before. What nobody watches is dropped.
 */
export const recordBlobEvent = (deps: TriggerDeps, message: unknown): Promise<void> =>
  orPoison(deps, BLOB_EVENTS_QUEUE, message, async () => {
    const event = readBlobEvent(message);
    const place = event && (await placeOf(deps, event.url));
    const watches = place ? await watchesOver(deps, place.datastore, place.path) : [];
    if (!event || !place || watches.length === 0) {
      deps.log.debug({ url: event?.url.replace(/[?#].*$/s, '') }, 'nobody watches this blob');
      return;
    }
    const version = { blob: place.path, etag: event.etag };
    for (const watch of watches) {
      if (!(await deps.events.add(watch, version))) continue;
      const enough = (await deps.events.count(watch, watch.maxFiles)) >= watch.maxFiles;
      await sendFlush(deps, watch, enough ? 0 : watch.maxWaitSeconds);
    }
  });

/** Undefined for an address outside the datastores. Throws ApiError 400 for a text that is no address. */
async function placeOf(deps: TriggerDeps, url: string): Promise<DataAddress | undefined> {
  try {
    return parseDataUri(url, await uriRules(deps), 'data.url');
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}
