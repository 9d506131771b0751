import type { HttpHeaders } from '@azure/core-rest-pipeline';
import type { OpenDownload } from './azure-read.ts';
import { propertiesOf } from './blob-properties.ts';
import type { GetBlobs } from './blob-requests.ts';
import type { BlobProperties, BlobRef, ReadOptions } from './ports.ts';

/** A download whose answer has begun. */
export interface Download {
  /** `length` is that of the whole blob. */
  readonly properties: BlobProperties;
  /** Bytes that are on their way. */
  readonly received: number;
  /** Whether storage says that these are a part of the blob. */
  readonly isPart: boolean;
  readonly requestId: string | undefined;
  readonly open: OpenDownload;
}

/** Begins to read a blob, or a range of it; `close` ends its connection. Throws RestError. */
export async function openDownload(
  get: GetBlobs,
  { container, name }: BlobRef,
  { offset = 0, count, ifMatch }: ReadOptions,
  { signal, close }: { readonly signal: AbortSignal; readonly close: () => void },
): Promise<Download> {
  const isRange = offset > 0 || count !== undefined;
  const headers = {
    ...(isRange && { 'x-ms-range': `bytes=${offset}-${count === undefined ? '' : offset + count - 1}` }),
    ...(ifMatch !== undefined && { 'if-match': ifMatch }),
  };
  const { headers: told, stream } = await get({ container, blob: name, headers, signal });
  // A line that breaks before the first read has no listener and would end the process; the iteration raises it.
  stream.on('error', () => undefined);
  const received = Number(told.get('content-length') ?? 0);
  const whole = told.get('content-range')?.split('/')[1];
  return {
    properties: propertiesOf({
      etag: told.get('etag'),
      contentLength: Number(whole ?? received),
      contentEncoding: told.get('content-encoding'),
      metadata: metadataOf(told),
    }),
    received,
    isPart: whole !== undefined,
    requestId: told.get('x-ms-request-id'),
    open: { stream, close },
  };
}

const METADATA = 'x-ms-meta-';

const metadataOf = (headers: HttpHeaders): Record<string, string> =>
  Object.fromEntries(
    [...headers].flatMap(([name, value]) =>
      name.startsWith(METADATA) ? [[name.slice(METADATA.length), value] as const] : [],
    ),
  );
