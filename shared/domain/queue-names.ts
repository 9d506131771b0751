/** Event Grid's messages about blobs that were written; locally the inbox trigger's. */
export const BLOB_EVENTS_QUEUE = 'blob-events';

/** Watched folders that may have enough to start a job. */
export const BLOB_FLUSH_QUEUE = 'blob-flush';

/** Where the messages of a queue go that cannot be served: the Functions host's own name for it. */
export const poisonOf = (queue: string): string => `${queue}-poison`;
