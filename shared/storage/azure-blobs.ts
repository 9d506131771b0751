import type { BlobItem as ListedBlob, StorageRetryOptions } from '@azure/storage-blob';
import { type OpenDownload, resumingBody } from './azure-read.ts';
import { checkBlobName, checkBlock, checkMetadata, checkRange } from './blob-rules.ts';
import { uploadBlocks } from './block-upload.ts';
import { type AdapterOptions, blobServiceFrom, type StorageConnection } from './connection.ts';
import { everyPage } from './every-page.ts';
import {
  type BlobItem,
  type BlobProperties,
  type BlobRef,
  type Blobs,
  type ListOptions,
  type ReadOptions,
  StorageFault,
  type WriteOptions,
} from './ports.ts';
import { storageCalls } from './storage-calls.ts';
import { orAbsent } from './storage-faults.ts';

/** What is sent again, and when, is storage-calls.ts. */
const ONCE: StorageRetryOptions = { maxTries: 1 };

/** The blobs of one account over the Blob API. Make one per process and account. */
export function azureBlobs(connection: StorageConnection, options: AdapterOptions = {}): Blobs {
  const { answerWithinMs = 120_000 } = options;
  const service = blobServiceFrom(connection, ONCE);
  const { harmless, conditional, once } = storageCalls(options);

  const at = (ref: BlobRef) => {
    checkBlobName(ref);
    return service.getContainerClient(ref.container).getBlockBlobClient(ref.name);
  };

  const listPage: Blobs['listPage'] = async (container, options = {}) => {
    const page = await orAbsent(
      harmless(`list ${container}`, options, (abortSignal) =>
        pageOf(service.getContainerClient(container), options, abortSignal),
      ),
    );
    const items = page?.segment.blobItems.map(itemOf) ?? [];
    return { items, ...(page?.continuationToken && { next: page.continuationToken }) };
  };

  const open = async (ref: BlobRef, { offset = 0, count, ifMatch, signal }: ReadOptions) => {
    const { answer, close } = await harmless(`read ${pathOf(ref)}`, { signal }, async (abortSignal, close) => {
      const conditions = ifMatch === undefined ? {} : { ifMatch };
      const answer = await at(ref).download(offset, count, { abortSignal, maxRetryRequests: 0, conditions });
      return { answer, close };
    });
    if (!answer.readableStreamBody) throw new Error('the SDK gave no stream: is this a browser build?');
    // A line that breaks before the first read has no listener and would end the process; the iteration raises it.
    answer.readableStreamBody.on('error', () => undefined);
    const download: OpenDownload = { stream: answer.readableStreamBody, close };
    return { answer, download };
  };

  return {
    list: (container, options) => everyPage(listPage, container, options),

    listPage,

    head: (ref) =>
      orAbsent(
        harmless(`head ${pathOf(ref)}`, {}, async (abortSignal) =>
          propertiesOf(await at(ref).getProperties({ abortSignal })),
        ),
      ),

    async read(ref, options = {}) {
      checkRange(options);
      const opened = await orAbsent(open(ref, options));
      if (opened === undefined) return undefined;
      const { answer, download } = opened;
      const operation = `read ${pathOf(ref)}`;
      const offset = options.offset ?? 0;
      const received = answer.contentLength ?? 0;
      if (received === 0 && answer.contentRange) {
        // Azurite answers a range that begins at the end with nothing, Azure refuses it.
        download.close();
        throw new StorageFault(operation, 416, 'InvalidRange', answer.requestId);
      }
      const properties = propertiesOf(answer);
      const body = resumingBody(download, {
        operation,
        offset,
        end: offset + received,
        signal: options.signal,
        answerWithinMs,
        open: async (from, count) =>
          (await open(ref, { ...options, offset: from, count, ifMatch: properties.etag })).download,
      });
      return { ...properties, length: Number(answer.contentRange?.split('/')[1] ?? received), body };
    },

    async write(ref, body, options = {}) {
      const call = isConditional(options) ? conditional : harmless;
      const answer = await call(`write ${pathOf(ref)}`, options, (abortSignal) =>
        at(ref).upload(body, body.length, { ...uploadOptions(options), abortSignal }),
      );
      return { etag: answer.etag ?? '' };
    },

    async writeStream(ref, body, options = {}) {
      const settings = uploadOptions(options);
      const blob = at(ref);
      const operation = `write ${pathOf(ref)}`;
      const { blockIds, length } = await uploadBlocks(body, (blockId, block) =>
        harmless(operation, options, async (abortSignal) => {
          await blob.stageBlock(blockId, block, block.length, { abortSignal });
        }),
      );
      const call = isConditional(options) ? conditional : harmless;
      const answer = await call(operation, options, (abortSignal) =>
        blob.commitBlockList(blockIds, { ...settings, abortSignal }),
      );
      return { etag: answer.etag ?? '', length };
    },

    async stageBlock(ref, blockId, body, options = {}) {
      checkBlock(ref, body);
      await harmless(`stage ${pathOf(ref)}`, options, (abortSignal) =>
        at(ref).stageBlock(blockId, body, body.length, { abortSignal }),
      );
    },

    async commitBlocks(ref, blockIds, { replaces, ...options } = {}) {
      const condition = replaces === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: replaces };
      const settings = uploadOptions({ ...options, ...condition });
      const answer = await once(`commit ${pathOf(ref)}`, {}, (abortSignal) =>
        at(ref).commitBlockList([...blockIds], { ...settings, abortSignal }),
      );
      return { etag: answer.etag ?? '' };
    },

    async remove(ref, { ifMatch } = {}) {
      const answer = await orAbsent(
        harmless(`remove ${pathOf(ref)}`, {}, (abortSignal) =>
          at(ref).delete({ abortSignal, ...(ifMatch === undefined ? {} : { conditions: { ifMatch } }) }),
        ),
      );
      return answer !== undefined;
    },

    async ensureContainer(container) {
      await harmless(`create container ${container}`, {}, (abortSignal) =>
        service.getContainerClient(container).createIfNotExists({ abortSignal }),
      );
    },
  };
}

const pathOf = ({ container, name }: BlobRef): string => `${container}/${name}`;
const isConditional = ({ ifNoneMatch, ifMatch }: WriteOptions): boolean =>
  ifNoneMatch !== undefined || ifMatch !== undefined;

function uploadOptions({ ifNoneMatch, ifMatch, contentType, metadata }: WriteOptions) {
  checkMetadata(metadata);
  return {
    conditions: { ...(ifNoneMatch !== undefined && { ifNoneMatch }), ...(ifMatch !== undefined && { ifMatch }) },
    ...(contentType !== undefined && { blobHTTPHeaders: { blobContentType: contentType } }),
    ...(metadata !== undefined && { metadata }),
  };
}

type Container = ReturnType<ReturnType<typeof blobServiceFrom>['getContainerClient']>;

async function pageOf(client: Container, options: ListOptions & { readonly page?: string }, abortSignal: AbortSignal) {
  const settings = {
    includeMetadata: true,
    abortSignal,
    ...(options.prefix !== undefined && { prefix: options.prefix }),
  };
  const paging = {
    ...(options.page !== undefined && { continuationToken: options.page }),
    ...(options.pageSize !== undefined && { maxPageSize: options.pageSize }),
  };
  const page = options.delimiter
    ? await client.listBlobsByHierarchy(options.delimiter, settings).byPage(paging).next()
    : await client.listBlobsFlat(settings).byPage(paging).next();
  return page.done ? undefined : page.value;
}

/** What every kind of answer says about a blob. Listings name the ETag without quotes on Azure, headers with. */
function propertiesOf(answer: {
  etag?: string;
  contentLength?: number;
  contentEncoding?: string;
  metadata?: Record<string, string>;
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

function itemOf({ name, properties, metadata }: ListedBlob): BlobItem {
  return {
    name,
    ...propertiesOf({ ...properties, ...(metadata && { metadata }) }),
    ...(properties.accessTier && { accessTier: properties.accessTier }),
    blobType: properties.blobType ?? 'BlockBlob',
  };
}
