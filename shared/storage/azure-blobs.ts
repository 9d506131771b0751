import type { BlobItem as ListedBlob, BlockBlobClient, StorageRetryOptions } from '@azure/storage-blob';
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
import { again, ask, orAbsent } from './storage-faults.ts';

/** Waits 0, 0.4 and 1.2 s after 500, 503 and lost lines. The SDK's own (4 s, 12 s) would outlast a slice. Blobs do not answer 429. */
const RETRIES: StorageRetryOptions = { maxTries: 4, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 };
const ONCE: StorageRetryOptions = { maxTries: 1 };

/** The blobs of one account over the Blob API. Make one per process and account. */
export function azureBlobs(connection: StorageConnection, { answerWithinMs = 120_000 }: AdapterOptions = {}): Blobs {
  const service = blobServiceFrom(connection, RETRIES);
  const onceService = blobServiceFrom(connection, ONCE);

  const at = (ref: BlobRef, from = service): BlockBlobClient => {
    checkBlobName(ref);
    return from.getContainerClient(ref.container).getBlockBlobClient(ref.name);
  };
  const limits = (signal?: AbortSignal) => ({ signal, answerWithinMs });

  const listPage: Blobs['listPage'] = async (container, options = {}) => {
    const page = await orAbsent(
      ask(`list ${container}`, limits(options.signal), (abortSignal) =>
        pageOf(service.getContainerClient(container), options, abortSignal),
      ),
    );
    const items = page?.segment.blobItems.map(itemOf) ?? [];
    return { items, ...(page?.continuationToken && { next: page.continuationToken }) };
  };

  const open = async (ref: BlobRef, { offset = 0, count, ifMatch, signal }: ReadOptions) => {
    const closing = new AbortController();
    const answer = await ask(`read ${pathOf(ref)}`, limits(signal), (bound) =>
      at(ref).download(offset, count, {
        abortSignal: AbortSignal.any([bound, closing.signal]),
        maxRetryRequests: 0,
        ...(ifMatch !== undefined && { conditions: { ifMatch } }),
      }),
    );
    if (!answer.readableStreamBody) throw new Error('the SDK gave no stream: is this a browser build?');
    // A line that breaks before the first read has no listener and would end the process; the iteration raises it.
    answer.readableStreamBody.on('error', () => undefined);
    const download: OpenDownload = { stream: answer.readableStreamBody, close: () => closing.abort() };
    return { answer, download };
  };

  return {
    list: (container, options) => everyPage(listPage, container, options),

    listPage,

    head: (ref) =>
      orAbsent(
        ask(`head ${pathOf(ref)}`, limits(), async (abortSignal) =>
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
      const conditional = isConditional(options);
      const blob = at(ref, conditional ? onceService : service);
      const send = () =>
        ask(`write ${pathOf(ref)}`, limits(options.signal), (abortSignal) =>
          blob.upload(body, body.length, { ...uploadOptions(options), abortSignal }),
        );
      return { etag: (await (conditional ? again(send, options.signal) : send())).etag ?? '' };
    },

    async writeStream(ref, body, options = {}) {
      const conditional = isConditional(options);
      const settings = uploadOptions(options);
      const staging = at(ref);
      const operation = `write ${pathOf(ref)}`;
      const { blockIds, length } = await uploadBlocks(body, (blockId, block) =>
        ask(operation, limits(options.signal), async (abortSignal) => {
          await staging.stageBlock(blockId, block, block.length, { abortSignal });
        }),
      );
      const blob = conditional ? at(ref, onceService) : staging;
      const commit = () =>
        ask(operation, limits(options.signal), (abortSignal) =>
          blob.commitBlockList(blockIds, { ...settings, abortSignal }),
        );
      return { etag: (await (conditional ? again(commit, options.signal) : commit())).etag ?? '', length };
    },

    async stageBlock(ref, blockId, body, options = {}) {
      checkBlock(ref, body);
      await ask(`stage ${pathOf(ref)}`, limits(options.signal), (abortSignal) =>
        at(ref).stageBlock(blockId, body, body.length, { abortSignal }),
      );
    },

    async commitBlocks(ref, blockIds, { replaces, ...options } = {}) {
      const condition = replaces === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: replaces };
      const settings = uploadOptions({ ...options, ...condition });
      const answer = await ask(`commit ${pathOf(ref)}`, limits(), (abortSignal) =>
        at(ref, onceService).commitBlockList([...blockIds], { ...settings, abortSignal }),
      );
      return { etag: answer.etag ?? '' };
    },

    async remove(ref, { ifMatch } = {}) {
      const answer = await orAbsent(
        ask(`remove ${pathOf(ref)}`, limits(), (abortSignal) =>
          at(ref).delete({ abortSignal, ...(ifMatch === undefined ? {} : { conditions: { ifMatch } }) }),
        ),
      );
      return answer !== undefined;
    },

    async ensureContainer(container) {
      await ask(`create container ${container}`, limits(), (abortSignal) =>
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
