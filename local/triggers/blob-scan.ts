import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { Log } from '../log.ts';
import { isGone } from '../storage-accounts.ts';
import { createOutage } from '../outage.ts';
import { reasonOf } from '../reason.ts';
import { quoteEtag, receiptKey, type BlobReceipts, type BlobVersion } from './blob-receipts.ts';
import { createNap, graceMs, settleWithin, type Listener } from './listener.ts';
import type { PathTemplate } from './path-template.ts';

/** Versions that are announced at once. */
const width = 8;

export interface BlobScanOptions {
  readonly functionName: string;
  readonly path: PathTemplate;
  readonly container: ContainerClient;
  readonly receipts: BlobReceipts;
  readonly scanMs: number;
  readonly log: Log;
  /** Puts a version on the way to its function. */
  readonly announce: (version: BlobVersion, blobType: string) => Promise<void>;
}

export interface BlobScan extends Listener {
  /** Looks again now. */
  wake(): void;
}

/**
 * Lists a container again and again and announces each version of a matching blob once. Receipts are read once, at the
 * start; after that memory holds one key for each matching blob, so that a scan costs its listing and nothing more.
 */
export function startBlobScan(options: BlobScanOptions): BlobScan {
  const { functionName, path, container, receipts, log } = options;
  const nap = createNap();
  const outage = createOutage(`The container '${container.containerName}' (blob trigger '${functionName}')`, log);
  let known: Set<string> | undefined;
  let stopped = false;

  async function scan(): Promise<void> {
    const seen = (known ??= await receipts.load());
    const present = new Set<string>();
    const pages = container.listBlobsFlat({ prefix: path.prefix }).byPage({ maxPageSize: 5000 });
    for await (const { segment } of pages) {
      const fresh: BlobItem[] = [];
      for (const item of segment.blobItems) {
        if (path.match(item.name) === undefined) continue;
        const key = receiptKey(versionOf(item));
        if (seen.has(key)) present.add(key);
        else fresh.push(item);
      }
      for (let at = 0; at < fresh.length; at += width) {
        if (stopped) return;
        // Each is remembered for itself: one that fails must not make the others run twice.
        const results = await Promise.allSettled(
          fresh.slice(at, at + width).map(async (item) => {
            const key = await announce(item);
            seen.add(key);
            present.add(key);
          }),
        );
        const failed = results.find((result) => result.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      }
    }
    // Blobs and versions that are gone need not be remembered.
    known = present;
  }

  function versionOf({ name, properties }: BlobItem): BlobVersion {
    return { container: container.containerName, blob: name, etag: quoteEtag(properties.etag) };
  }

  /** First the message, then the receipt: a crash between the two runs the function twice, never not at all. */
  async function announce(item: BlobItem): Promise<string> {
    const version = versionOf(item);
    await options.announce(version, item.properties.blobType ?? 'BlockBlob');
    try {
      await receipts.write(version);
    } catch (error) {
      log.warn(
        `The receipt of ${version.container}/${version.blob} for '${functionName}' was not written; ` +
          `it runs once more after a restart: ${reasonOf(error)}`,
      );
    }
    return receiptKey(version);
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      try {
        await scan();
        outage.end();
      } catch (error) {
        // A container that is not there has no blobs.
        if (isGone(error)) outage.end();
        else outage.begin(error);
      }
      if (!stopped) await nap.sleep(options.scanMs);
    }
  }

  const looping = loop();
  return {
    wake: nap.wake,
    async stop() {
      stopped = true;
      nap.wake();
      await settleWithin([looping], graceMs);
    },
  };
}
