import { z } from 'zod';
import { isServiceUri } from './storage/account.ts';

/** The address of a service and nothing more: a signature in it would be a secret in a setting that looks like none. */
function isPlainHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '';
}

/** A service of an account that the app opens with its identity. */
export const ServiceUri = z.string().refine(isPlainHttps, 'must be the https address of a storage service');

/** An account: its connection string, or the address of its blob service. */
export const AccountConnection = z
  .string()
  .min(1)
  .refine((text) => !isServiceUri(text) || isPlainHttps(text), 'must be a connection string or an https address');

/**
 * The app's own state, in the two forms that the Functions host takes for the connection of its queues: one connection string, or
 * the address of each service for an identity.
 */
export const stateSettings = {
  BATCHPOINT_STATE: z.string().min(1).optional(),
  BATCHPOINT_STATE__blobServiceUri: ServiceUri.optional(),
  BATCHPOINT_STATE__queueServiceUri: ServiceUri.optional(),
  BATCHPOINT_STATE__tableServiceUri: ServiceUri.optional(),
};
type StateSettings = z.infer<z.ZodObject<typeof stateSettings>>;

/** Where the app's state is: for each service a connection string or an address. */
export interface StateConnections {
  readonly blob: string;
  readonly queue: string;
  readonly table: string;
}

/** Undefined when the settings say neither or both. */
export function stateConnections(settings: StateSettings): StateConnections | undefined {
  const {
    BATCHPOINT_STATE: account,
    BATCHPOINT_STATE__blobServiceUri: blob,
    BATCHPOINT_STATE__queueServiceUri: queue,
    BATCHPOINT_STATE__tableServiceUri: table,
  } = settings;
  if (account !== undefined)
    return blob === undefined && queue === undefined && table === undefined
      ? { blob: account, queue: account, table: account }
      : undefined;
  return blob !== undefined && queue !== undefined && table !== undefined ? { blob, queue, table } : undefined;
}

/** What is wrong then. */
export const STATE_FAULT =
  'set either it or all of BATCHPOINT_STATE__blobServiceUri, BATCHPOINT_STATE__queueServiceUri and BATCHPOINT_STATE__tableServiceUri';
