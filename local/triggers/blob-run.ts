import type { BlobGetPropertiesResponse, ContainerClient } from '@azure/storage-blob';
import type { RpcTypedData } from '../core-api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import { isGone } from '../storage-accounts.ts';
import { quoteEtag } from './blob-receipts.ts';
import type { PathTemplate } from './path-template.ts';
import { systemData, toOffsetTime } from './trigger-metadata.ts';

export interface BlobRunOptions {
  readonly fn: RegisteredFunction;
  readonly path: PathTemplate;
  readonly container: ContainerClient;
  readonly invoke: Invoke;
}

/**
 * Runs a function for one version of a blob. Answers without a run when the blob has gone or has another version by
 * now. Rejects with what the function threw, or when the blob cannot be read.
 */
export async function runForBlob(
  { fn, path, container, invoke }: BlobRunOptions,
  blobName: string,
  etag: string,
): Promise<'ran' | 'gone' | 'changed'> {
  const blob = container.getBlobClient(blobName);
  let properties: BlobGetPropertiesResponse;
  let bytes: Buffer;
  try {
    properties = await blob.getProperties();
    if (quoteEtag(properties.etag ?? '') !== etag) return 'changed';
    bytes = await blob.downloadToBuffer(0, undefined, { conditions: { ifMatch: etag } });
  } catch (error) {
    if (isGone(error)) return 'gone';
    if (error instanceof Error && Reflect.get(error, 'statusCode') === 412) return 'changed';
    throw error;
  }
  const address = `${container.containerName}/${blobName}`;
  await invoke(fn, {
    data: { bytes },
    reason: `New blob detected(LogsAndContainerScan): ${address}`,
    triggerMetadata: {
      ...tokensOf(path, blobName),
      BlobTrigger: { string: address },
      Uri: { json: JSON.stringify(blob.url) },
      Properties: { json: JSON.stringify(propertiesOf(properties)) },
      Metadata: { json: JSON.stringify(properties.metadata ?? {}) },
      sys: systemData(fn.name),
    },
  });
  return 'ran';
}

function tokensOf(path: PathTemplate, blobName: string): Record<string, RpcTypedData> {
  const tokens = Object.entries(path.match(blobName) ?? {});
  return Object.fromEntries(tokens.map(([name, value]) => [name, { string: value }]));
}

/** The fields of .NET's BlobProperties that Azurite and Azure both fill. */
function propertiesOf(properties: BlobGetPropertiesResponse): object {
  const time = (date: Date | undefined): string | null => (date === undefined ? null : toOffsetTime(date));
  return {
    LastModified: time(properties.lastModified),
    CreatedOn: time(properties.createdOn),
    BlobType: ['BlockBlob', 'PageBlob', 'AppendBlob'].indexOf(properties.blobType ?? 'BlockBlob'),
    ContentLength: properties.contentLength ?? 0,
    ContentType: properties.contentType ?? null,
    ContentEncoding: properties.contentEncoding ?? null,
    ContentLanguage: properties.contentLanguage ?? null,
    ContentDisposition: properties.contentDisposition ?? null,
    CacheControl: properties.cacheControl ?? null,
    ContentHash: properties.contentMD5 === undefined ? null : Buffer.from(properties.contentMD5).toString('base64'),
    ETag: quoteEtag(properties.etag ?? ''),
  };
}
