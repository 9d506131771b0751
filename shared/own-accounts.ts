import { MEMORY, type Settings } from './settings.ts';
import { isDevelopmentStorage } from './storage/account.ts';

/**
 * Throws where callers' data would lie in the account of the app's state or of its host: names of containers would be all that keeps
 * them apart (S4.1). Development storage is one account, and holds nothing that is worth it.
 */
export function checkOwnAccounts(settings: Settings): void {
  const {
    AzureWebJobsStorage: host,
    AzureWebJobsStorage__accountName: hostName,
    AzureWebJobsStorage__blobServiceUri: hostUri,
    state,
  } = settings;
  const own = new Set(
    [host, hostName, hostUri, state.blob, state.queue, state.table]
      .map(accountName)
      .filter((name) => name !== undefined),
  );
  const data: readonly (readonly [string, readonly string[]])[] = [
    ['BATCHPOINT_DATASTORES', settings.BATCHPOINT_DATASTORES.map(({ connection }) => connection)],
    ['BATCHPOINT_DATASTORE_ACCOUNTS', settings.BATCHPOINT_DATASTORE_ACCOUNTS],
  ];
  for (const [setting, connections] of data)
    for (const name of connections.map(accountName))
      if (name !== undefined && own.has(name))
        throw new Error(
          `${setting} names account ${name}, which is that of the app's own state or of its host. Data needs an account of its own.`,
        );
}

/** The account that a connection string, an address or a bare name leads to; undefined for storage of this machine. */
function accountName(text: string | undefined): string | undefined {
  if (text === undefined || text === MEMORY || isDevelopmentStorage(text)) return undefined;
  const named =
    /(?:^|;)\s*AccountName=([^;]+)/i.exec(text)?.[1] ??
    /https?:\/\/([a-z0-9-]+?)(?:-secondary)?\./i.exec(text)?.[1] ??
    (/^[a-z0-9]+$/i.test(text) ? text : undefined);
  return named?.trim().toLowerCase();
}
