import type { ContainerClient } from '@azure/storage-blob';
import { isGone } from '../storage-accounts.ts';

/** One version of a blob. */
export interface BlobVersion {
  readonly container: string;
  readonly blob: string;
  /** In quotes, as in the HTTP header. */
  readonly etag: string;
}

/** Which versions of blobs a function has been told of: an empty blob for each, as the SDK's BlobReceiptManager keeps them. */
export interface BlobReceipts {
  /** The keys of all receipts, in one listing. */
  load(): Promise<Set<string>>;
  write(version: BlobVersion): Promise<void>;
}

/** What tells a version from others. */
export const receiptKey = ({ container, blob, etag }: BlobVersion): string => `${etag}/${container}/${blob}`;

/** Listings and headers differ in the quotes. */
export const quoteEtag = (etag: string): string => `"${etag.replaceAll('"', '')}"`;

const completed = 'Completed';

/** At `blobreceipts/<hostId>/Host.Functions.<name>/"<etag>"/<container>/<blob>`. */
export function createBlobReceipts(container: ContainerClient, hostId: string, functionName: string): BlobReceipts {
  const prefix = `blobreceipts/${hostId}/Host.Functions.${functionName}/`;
  let exists = false;
  return {
    async load() {
      const keys = new Set<string>();
      try {
        for await (const { name, metadata } of container.listBlobsFlat({ prefix, includeMetadata: true })) {
          const [, value] = Object.entries(metadata ?? {}).find(([key]) => key.toLowerCase() === 'completed') ?? [];
          if (value?.toLowerCase() === 'true') keys.add(name.slice(prefix.length));
        }
      } catch (error) {
        if (!isGone(error)) throw error;
      }
      return keys;
    },
    async write(version) {
      if (!exists) await container.createIfNotExists();
      exists = true;
      const blob = container.getBlockBlobClient(prefix + receiptKey(version));
      await blob.upload('', 0, { metadata: { [completed]: 'True' } });
    },
  };
}
