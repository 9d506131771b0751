import type { StorageRetryOptions } from '@azure/storage-blob';
import { resumingBody } from './azure-read.ts';
import { openDownload } from './blob-download.ts';
import { listBlobs } from './blob-listing.ts';
import { propertiesOf } from './blob-properties.ts';
import { blobRequests } from './blob-requests.ts';
import { checkBlobName, checkBlock, checkMetadata, checkRange } from './blob-rules.ts';
import { uploadBlocks } from './block-upload.ts';
import { type AdapterOptions, blobServiceFrom, type StorageConnection } from './connection.ts';
import { everyPage } from './every-page.ts';
import { type BlobRef, type Blobs, type ReadOptions, StorageFault, type WriteOptions } from './ports.ts';
import { storageCalls } from './storage-calls.ts';
import { orAbsent } from './storage-faults.ts';

/** What is sent again, and when, is storage-calls.ts. */
const ONCE: StorageRetryOptions = { maxTries: 1 };

/** The blobs of one account over the Blob API. Make one per process and account. */
export function azureBlobs(connection: StorageConnection, options: AdapterOptions = {}): Blobs {
  const { answerWithinMs = 120_000 } = options;
  const service = blobServiceFrom(connection, ONCE);
  const get = blobRequests(connection, service.url);
  const { harmless, conditional, once } = storageCalls(options);

  const at = (ref: BlobRef) => {
    checkBlobName(ref);
    return service.getContainerClient(ref.container).getBlockBlobClient(ref.name);
  };

  const listPage: Blobs['listPage'] = async (container, options = {}) => {
    const page = await orAbsent(
      harmless(`list ${container}`, options, (signal) => listBlobs(get, container, options, signal)),
    );
    return page ?? { items: [] };
  };

  const open = (ref: BlobRef, options: ReadOptions) =>
    harmless(`read ${pathOf(ref)}`, options, (signal, close) => {
      checkBlobName(ref);
      return openDownload(get, ref, options, { signal, close });
    });

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
      const { properties, received, isPart, requestId } = opened;
      const operation = `read ${pathOf(ref)}`;
      const offset = options.offset ?? 0;
      if (received === 0 && isPart) {
        // Azurite answers a range that begins at the end with nothing, Azure refuses it.
        opened.open.close();
        throw new StorageFault(operation, 416, 'InvalidRange', requestId);
      }
      const body = resumingBody(opened.open, {
        operation,
        offset,
        end: offset + received,
        signal: options.signal,
        answerWithinMs,
        open: async (from, count) =>
          (await open(ref, { ...options, offset: from, count, ifMatch: properties.etag })).open,
      });
      return { ...properties, body };
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
