import type { RpcTypedData } from './core-api.ts';
import type { RegisteredFunction } from './functions.ts';
import { isGone, requireConnection, type StorageAccounts } from './storage-accounts.ts';

export interface AdminInvocation {
  readonly data: RpcTypedData | undefined;
  readonly triggerMetadata?: Record<string, RpcTypedData>;
}

/** What a function's trigger makes of a text. Rejects where the real host's trigger would. */
export type TriggerData = (fn: RegisteredFunction, input: string | undefined) => Promise<AdminInvocation>;

/** A timer that is not due: `ScheduleStatus` is there only where a monitor keeps one. */
const timer = JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });

/** Makes a text the data of a trigger, as the bindings of the real host do when a function is called by hand. */
export function createTriggerData(env: NodeJS.ProcessEnv, accounts: StorageAccounts): TriggerData {
  return async (fn, input) => {
    switch (fn.triggerType) {
      case 'httpTrigger':
        throw new Error('An HttpRequest is required: call the function by its URL.');
      case 'orchestrationTrigger':
      case 'entityTrigger':
        throw new Error(`A function with a ${fn.triggerType} is called through its Durable client.`);
      case 'timerTrigger':
        return { data: { json: timer } };
      case 'blobTrigger':
        return readBlob(accounts, requireConnection(env, fn.trigger.connection), input ?? '');
      case 'queueTrigger':
        return { data: { string: input ?? '' }, triggerMetadata: { queueTrigger: { string: input ?? '' } } };
      default:
        return { data: input === undefined ? undefined : { string: input } };
    }
  };
}

/** A blob trigger takes the text as the path of the blob to read: `container/name`. */
async function readBlob(accounts: StorageAccounts, connection: string, path: string): Promise<AdminInvocation> {
  const [container = '', ...name] = path.split('/');
  if (container === '' || name.length === 0) throw new Error(`'${path}' is no path of a blob (container/name).`);
  const blob = accounts.container(connection, container).getBlobClient(name.join('/'));
  try {
    const bytes = await blob.downloadToBuffer();
    return { data: { bytes }, triggerMetadata: { blobTrigger: { string: path }, uri: { string: blob.url } } };
  } catch (error) {
    throw isGone(error) ? new Error(`There is no blob '${path}'.`, { cause: error }) : error;
  }
}
