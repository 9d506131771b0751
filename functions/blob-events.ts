import { BLOB_EVENTS_QUEUE, BLOB_FLUSH_QUEUE } from '../shared/domain/queue-names.ts';
import { flushWatch } from '../shared/steps/flush-watch.ts';
import { recordBlobEvent } from '../shared/steps/record-blob-event.ts';
import { onQueue, triggerSettings } from './queue-trigger.ts';

if (triggerSettings) {
  onQueue('blobEvents', BLOB_EVENTS_QUEUE, recordBlobEvent);
  onQueue('blobFlush', BLOB_FLUSH_QUEUE, flushWatch);
}
