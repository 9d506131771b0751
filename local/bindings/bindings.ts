import type { BlockBlobClient } from '@azure/storage-blob';
import type { InvocationResponse, RpcTypedData } from '../core-api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invocation } from '../invoke.ts';
import { isGone, type StorageAccounts } from '../storage-accounts.ts';
import { encodeMessage } from '../triggers/message-text.ts';
import type { QueueWatcher } from '../triggers/queue-watcher.ts';
import { bindingDataOf } from './binding-data.ts';
import type { BlobBinding, FunctionBindings, QueueBinding } from './function-bindings.ts';
import { fillExpression, type BindingData } from './path-expression.ts';

/** Reads what a function asked for before it runs, and writes what it answered after. */
export interface Bindings {
  /** Rejects when a path cannot be filled or storage fails; a blob that is absent is no data. */
  read(fn: RegisteredFunction, invocation: Invocation): Promise<{ name: string; data: RpcTypedData }[]>;
  /** Rejects when an output cannot be written: the function has failed then. */
  write(fn: RegisteredFunction, invocation: Invocation, response: InvocationResponse): Promise<void>;
}

export interface BindingsOptions {
  readonly bindingsOf: (fn: RegisteredFunction) => FunctionBindings;
  readonly accounts: StorageAccounts;
  readonly messageEncoding: 'base64' | 'none';
  readonly watcher: QueueWatcher;
}

const returned = '$return';

export function createBindings({ bindingsOf, accounts, messageEncoding, watcher }: BindingsOptions): Bindings {
  async function readBlob(input: BlobBinding, data: BindingData): Promise<{ name: string; data: RpcTypedData }> {
    try {
      const bytes = await blobAt(accounts, input, data).downloadToBuffer();
      return { name: input.name, data: { bytes } };
    } catch (error) {
      if (isGone(error)) return { name: input.name, data: {} };
      throw error;
    }
  }

  async function writeBlob(output: BlobBinding, value: RpcTypedData, data: BindingData): Promise<void> {
    const content = contentOf(value);
    if (content === undefined) return;
    const blob = blobAt(accounts, output, data);
    await accounts.container(output.connection, blob.containerName).createIfNotExists();
    await blob.uploadData(Buffer.from(content));
  }

  async function writeQueue(output: QueueBinding, value: RpcTypedData): Promise<void> {
    const queue = accounts.queue(output.connection, output.queueName);
    const messages = messagesOf(value);
    if (messages.length === 0) return;
    await queue.createIfNotExists();
    for (const message of messages) await queue.sendMessage(encodeMessage(message, messageEncoding));
    watcher.notify(queue.url);
  }

  return {
    async read(fn, invocation) {
      const { inputs } = bindingsOf(fn);
      if (inputs.length === 0) return [];
      const data = bindingDataOf(invocation);
      return Promise.all(inputs.map((input) => readBlob(input, data)));
    },

    async write(fn, invocation, response) {
      const { outputs } = bindingsOf(fn);
      if (outputs.length === 0) return;
      const data = bindingDataOf(invocation);
      for (const output of outputs) {
        const value =
          output.name === returned
            ? response.returnValue
            : response.outputData?.find(({ name }) => name === output.name)?.data;
        if (value === null || value === undefined) continue;
        if (output.kind === 'queue') await writeQueue(output, value);
        else await writeBlob(output, value, data);
      }
    },
  };
}

function blobAt(accounts: StorageAccounts, { path, connection }: BlobBinding, data: BindingData): BlockBlobClient {
  const filled = fillExpression(path, data);
  const at = filled.indexOf('/');
  return accounts.container(connection, filled.slice(0, at)).getBlockBlobClient(filled.slice(at + 1));
}

/** Text or bytes as they are; anything else as JSON. */
function contentOf(value: RpcTypedData): string | Uint8Array | undefined {
  const { string, bytes, json, int, double } = value;
  return string ?? bytes ?? json ?? int?.toString() ?? double?.toString();
}

/** One message for each item of an array: text as it is, all else as JSON. */
function messagesOf(value: RpcTypedData): (string | Uint8Array)[] {
  const items: unknown = value.json === undefined || value.json === null ? undefined : JSON.parse(value.json);
  if (Array.isArray(items)) return items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  const content = contentOf(value);
  return content === undefined ? [] : [content];
}
