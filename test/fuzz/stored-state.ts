import { createHash } from 'node:crypto';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';

/** What Durable Functions and the host keep for themselves, and change by themselves. */
const HOSTS_OWN =
  /^(?:azure-webjobs|azurewebjobs|batchpointembedded$|.*(?:history|instances|leases|applease|largemessages|partitions)$)/i;

/** When a timer did its work last: written by no request. */
const TIMERS_ROWS = 'due';

const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

/** Every row and blob of an app's account, by name, with a digest of what it holds. */
export async function storedState(connection: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const options = { allowInsecureConnection: true };
  for await (const { name } of TableServiceClient.fromConnectionString(connection, options).listTables()) {
    if (name === undefined || HOSTS_OWN.test(name)) continue;
    for await (const row of TableClient.fromConnectionString(connection, name, options).listEntities())
      if (row.partitionKey !== TIMERS_ROWS) found[`${name}: ${row.partitionKey} ${row.rowKey}`] = digest(row);
  }
  const blobs = BlobServiceClient.fromConnectionString(connection);
  for await (const { name: container } of blobs.listContainers()) {
    if (HOSTS_OWN.test(container)) continue;
    const options = { includeUncommitedBlobs: true };
    for await (const { name, properties } of blobs.getContainerClient(container).listBlobsFlat(options))
      found[`${container}/${name}`] = digest([properties.etag, properties.contentLength]);
  }
  return found;
}
