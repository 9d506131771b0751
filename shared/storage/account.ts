import { BlobServiceClient } from '@azure/storage-blob';

/** The account that a connection string opens: its name and its blob endpoint without a slash at the end. */
export function accountOf(connectionString: string): { account: string; endpoint: string } {
  const { accountName, url } = BlobServiceClient.fromConnectionString(connectionString);
  return { account: accountName, endpoint: url.replace(/\/$/, '') };
}

/** True for Azurite, whose key everybody knows, and for anything else on this machine. */
export const isDevelopmentStorage = (connectionString: string): boolean =>
  /UseDevelopmentStorage=true|devstoreaccount1|\/\/(?:localhost|127\.|\[::1\])/i.test(connectionString);
