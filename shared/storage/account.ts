import { BlobServiceClient } from '@azure/storage-blob';
import type { StorageConnection, TokenSource } from './connection.ts';

/** True for the address of a service; whatever else a setting holds is a connection string. */
export const isServiceUri = (connection: string): boolean => /^https?:/i.test(connection);

/**
 * What a setting says of an account: a connection string, or the address of its blob service, which the app opens with its own
 * identity and without a key.
 */
export const connectionOf = (connection: string, identity: TokenSource): StorageConnection =>
  isServiceUri(connection) ? { serviceUri: connection, credential: identity } : { connectionString: connection };

/** The account that such a setting opens: its name and its blob endpoint without a slash at the end. */
export function accountOf(connection: string): { account: string; endpoint: string } {
  const { accountName, url } = isServiceUri(connection)
    ? new BlobServiceClient(connection)
    : BlobServiceClient.fromConnectionString(connection);
  return { account: accountName, endpoint: url.replace(/\/$/, '') };
}

/** True for Azurite, whose key everybody knows, and for anything else on this machine. */
export const isDevelopmentStorage = (connection: string): boolean =>
  /UseDevelopmentStorage=true|devstoreaccount1|\/\/(?:localhost|127\.|\[::1\])/i.test(connection);

/** Azurite's published key: it opens nothing but an emulator. */
export const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** The account's key in a connection string; undefined where there is none, as in one with a SAS. */
export const accountKeyOf = (connectionString: string): string | undefined =>
  /(?:^|;)AccountKey=([^;]+)/i.exec(connectionString)?.[1] ??
  (/(?:^|;)UseDevelopmentStorage=true/i.test(connectionString) ? AZURITE_KEY : undefined);
