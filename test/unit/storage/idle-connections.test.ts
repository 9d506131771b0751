import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'vitest';
import {
  blobServiceFrom,
  queueServiceFrom,
  tableClientFrom,
  type StorageConnection,
} from '../../../shared/storage/connection.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Storage that names a time for idle connections, as Azurite does, and never closes one itself. */
async function storage(): Promise<{ url: string; closedByClient: Promise<void> }> {
  const closed = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(201, { 'Keep-Alive': 'timeout=2', Connection: 'keep-alive', 'Content-Length': 0 }).end();
  });
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => socket.once('end', closed.resolve));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, closedByClient: closed.promise };
}

const once = { maxTries: 1 };
const writes: Record<string, (connection: StorageConnection) => Promise<unknown>> = {
  blobs: (connection) => blobServiceFrom(connection, once).getContainerClient('container').create(),
  queues: (connection) => queueServiceFrom(connection, once).getQueueClient('queue').create(),
  tables: (connection) => tableClientFrom(connection, 'table', 0).createEntity({ partitionKey: 'a', rowKey: 'b' }),
};

const asString = (url: string): string =>
  `DefaultEndpointsProtocol=http;AccountName=one;AccountKey=${Buffer.from('key').toString('base64')};` +
  ['Blob', 'Queue', 'Table'].map((service) => `${service}Endpoint=${url}/one;`).join('');

test.each(
  Object.keys(writes).flatMap((service) => [
    [
      service,
      'a connection string',
      (url: string): StorageConnection => ({ connectionString: asString(url) }),
    ] as const,
    [service, 'an address', (url: string): StorageConnection => ({ serviceUri: `${url}/one` })] as const,
  ]),
)('an idle connection to %s by %s is closed before storage closes it', async (service, _, connection) => {
  const { url, closedByClient } = await storage();
  await writes[service]?.(connection(url));
  // Never, when the client waits for storage to close it: the request that comes just then is lost.
  await closedByClient;
});
