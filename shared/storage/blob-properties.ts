import type { BlobProperties } from './ports.ts';

/** What every kind of answer says about a blob. Listings name the ETag without quotes on Azure, headers with. */
export function propertiesOf(answer: {
  etag?: string | undefined;
  contentLength?: number | undefined;
  contentEncoding?: string | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
}): BlobProperties {
  const etag = answer.etag ?? '';
  const metadata = Object.entries(answer.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    etag: etag.startsWith('"') ? etag : `"${etag}"`,
    length: answer.contentLength ?? 0,
    metadata: Object.fromEntries(metadata),
    ...(answer.contentEncoding && { contentEncoding: answer.contentEncoding }),
  };
}
