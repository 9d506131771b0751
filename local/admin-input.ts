import { BlobServiceClient } from '@azure/storage-blob';
import { findConnection } from './connections.ts';
import type { RpcTypedData } from './core-api.ts';
import type { RegisteredFunction } from './functions.ts';

export interface AdminInvocation {
  readonly data: RpcTypedData | undefined;
  readonly triggerMetadata?: Record<string, RpcTypedData>;
}

/** What a function's trigger makes of a text. Rejects where the real host's trigger would. */
export type TriggerData = (fn: RegisteredFunction, input: string | undefined) => Promise<AdminInvocation>;

/** A timer that is not due: `ScheduleStatus` is there only where a monitor keeps one. */
const timer = JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });

/** Makes a text the data of a trigger, as the bindings of the real host do when a function is called by hand. */
export function createTriggerData(env: NodeJS.ProcessEnv): TriggerData {
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
        return readBlob(connectionOf(fn, env), input ?? '');
      case 'queueTrigger':
        return { data: { string: input ?? '' }, triggerMetadata: { queueTrigger: { string: input ?? '' } } };
      default:
        return { data: input === undefined ? undefined : { string: input } };
    }
  };
}

function connectionOf(fn: RegisteredFunction, env: NodeJS.ProcessEnv): string {
  const { connection: name } = fn.trigger;
  const connection = findConnection(env, name);
  if (connection === undefined) throw new Error(`The connection '${name}' of '${fn.name}' has no setting.`);
  return connection;
}

/** A blob trigger takes the text as the path of the blob to read: `container/name`. */
async function readBlob(connection: string, path: string): Promise<AdminInvocation> {
  const [container = '', ...name] = path.split('/');
  if (container === '' || name.length === 0) throw new Error(`'${path}' is no path of a blob (container/name).`);
  const service = BlobServiceClient.fromConnectionString(connection);
  const blob = service.getContainerClient(container).getBlobClient(name.join('/'));
  return {
    data: { bytes: await blob.downloadToBuffer() },
    triggerMetadata: { blobTrigger: { string: path }, uri: { string: blob.url } },
  };
}
