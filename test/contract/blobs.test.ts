import { afterAll, beforeAll } from 'vitest';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { blobsContract } from './blobs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

blobsContract('memory', async () => memoryBlobs());
blobsContract('Azure blobs on Azurite', async () => azureBlobs(azurite));
