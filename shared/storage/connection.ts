import { BlobServiceClient, type StorageRetryOptions } from '@azure/storage-blob';
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import type { BusyTimes } from './busy-times.ts';
import { connectionsTo } from './idle-connections.ts';

/** What the adapters need of an identity; every credential of `@azure/identity` is one. */
export interface TokenSource {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

/**
 * How one service of one account is reached: by its keys (Azurite, local work), or by address with an identity, as in Azure. The
 * address may carry a SAS, and then needs no credential.
 */
export type StorageConnection =
  { readonly connectionString: string } | { readonly serviceUri: string; readonly credential?: TokenSource };

/** Limits of an adapter, the same for every operation. */
export interface AdapterOptions {
  /** Milliseconds that storage may stay silent before a call fails with code `ETIMEDOUT`. Default 120,000. */
  readonly answerWithinMs?: number;
  /** Milliseconds that a call waits in all while storage turns it away as too busy. Default 3,000: somebody waits for the answer. */
  readonly patienceMs?: number;
  /** Where such waits are noted. */
  readonly busy?: BusyTimes;
}

/** The SDK would follow an answer to another container of the account; the address that was checked is the only one (S4.4). */
const NOWHERE_ELSE = { redirectOptions: { maxRetries: 0 } };

interface ServiceOptions {
  readonly retryOptions: StorageRetryOptions;
  readonly audience?: string;
}

/** The SDK's class of one service's clients. */
interface ServiceClass<Client> {
  new (url: string, credential: TokenSource | undefined, options: ServiceOptions): Client;
  fromConnectionString(connectionString: string, options?: ServiceOptions): Client;
}

function serviceFrom<Client extends { readonly url: string }>(
  Service: ServiceClass<Client>,
  connection: StorageConnection,
  retryOptions: StorageRetryOptions,
): Client {
  const options = { retryOptions, ...NOWHERE_ELSE };
  if ('connectionString' in connection) {
    const { connectionString } = connection;
    const { url } = Service.fromConnectionString(connectionString);
    return Service.fromConnectionString(connectionString, { ...options, ...connectionsTo(url) });
  }
  const { serviceUri, credential } = connection;
  return new Service(serviceUri, credential, { ...options, ...connectionsTo(serviceUri), ...audienceOf(connection) });
}

/** A client for the blobs of one account. Its connections are pooled per process, not per client. */
export const blobServiceFrom = (connection: StorageConnection, retryOptions: StorageRetryOptions): BlobServiceClient =>
  serviceFrom(BlobServiceClient, connection, retryOptions);

/** A client for the queues of one account. */
export const queueServiceFrom = (
  connection: StorageConnection,
  retryOptions: StorageRetryOptions,
): QueueServiceClient => serviceFrom(QueueServiceClient, connection, retryOptions);

/**
 * Tokens are asked for this account, not for storage as a whole: one that leaks opens no other (S4.4). Tables have no such choice
 * in the SDK.
 */
export const scopeOf = (serviceUri: string): string => `${new URL(serviceUri).origin}/.default`;

const audienceOf = ({ serviceUri, credential }: { serviceUri: string; credential?: TokenSource }) =>
  credential && { audience: scopeOf(serviceUri) };

/** A client for one table; `maxRetries` 0 sends every request once. */
export function tableClientFrom(connection: StorageConnection, table: string, maxRetries: number): TableClient {
  const retryOptions = { maxRetries, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 };
  if ('connectionString' in connection) {
    // Only Azurite is spoken to without TLS; the address says which it is.
    const allowInsecureConnection = !/DefaultEndpointsProtocol=https/i.test(connection.connectionString);
    const options = { retryOptions, ...NOWHERE_ELSE, allowInsecureConnection };
    const { url } = TableClient.fromConnectionString(connection.connectionString, table, options);
    return TableClient.fromConnectionString(connection.connectionString, table, { ...options, ...connectionsTo(url) });
  }
  const { serviceUri, credential } = connection;
  const allowInsecureConnection = serviceUri.startsWith('http:');
  const options = { retryOptions, ...NOWHERE_ELSE, ...connectionsTo(serviceUri), allowInsecureConnection };
  return credential
    ? new TableClient(serviceUri, table, credential, options)
    : new TableClient(serviceUri, table, options);
}
