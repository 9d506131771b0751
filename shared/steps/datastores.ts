import { ApiError, badRequest, conflict, resourceNotFound } from '../domain/errors.ts';
import type { DatastoreBody } from '../domain/workspace-bodies.ts';
import { DATASTORE_NAME_RULE, isDatastoreName } from '../domain/management-names.ts';
import type { DatastoreNote } from '../domain/resources.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastore } from './deps.ts';
import type { Clock, Log } from './ports.ts';
import { writeResource, type Author } from './write-resource.ts';

export interface DatastoreDeps {
  readonly registry: Registry;
  /** The first is the default one. */
  readonly datastores: readonly Datastore[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A datastore of the app's settings with what an operator wrote about it. */
export interface NotedDatastore {
  readonly store: Datastore;
  readonly isDefault: boolean;
  readonly note: DatastoreNote | undefined;
}

const SETTING = 'the app setting BATCHPOINT_DATASTORES (name, connection, container; the first is the default)';

/** Throws ApiError 404. */
export async function datastoreOf(deps: DatastoreDeps, name: string): Promise<NotedDatastore> {
  const store = find(deps, name);
  if (!store) throw resourceNotFound(`Datastore '${name.slice(0, 80)}'`);
  return noted(deps, store);
}

export const listDatastores = (deps: DatastoreDeps): Promise<NotedDatastore[]> =>
  Promise.all(deps.datastores.map((store) => noted(deps, store)));

/**
 * Describes a datastore that the settings name. Another one cannot be made by a request: the app opens accounts with what is in
 * its settings, and keeps no credential that a client sends. Throws ApiError 400.
 */
export async function putDatastore(
  deps: DatastoreDeps,
  name: string,
  { properties: sent }: DatastoreBody,
  by: Author,
): Promise<NotedDatastore> {
  if (!isDatastoreName(name)) throw badRequest(`The name of a datastore ${DATASTORE_NAME_RULE}.`, 'name');
  const store = find(deps, name);
  if (!store)
    throw badRequest(
      `Datastore '${name.slice(0, 80)}' is not configured. Add it to ${SETTING} and restart the app.`,
      'name',
    );
  const { account, container } = store.address;
  if (sent.accountName !== account || sent.containerName !== container)
    throw badRequest(
      `Datastore '${name}' is container '${container}' of account '${account}'; that is changed in ${SETTING}.`,
      sent.accountName === account ? 'properties.containerName' : 'properties.accountName',
    );
  const isDefault = deps.datastores[0] === store;
  if (sent.isDefault !== undefined && sent.isDefault !== isDefault)
    throw badRequest(`The default datastore is the first one of ${SETTING}.`, 'properties.isDefault');
  const now = new Date(deps.clock.now()).toISOString();
  const { record } = await writeResource(
    deps.registry.datastores,
    [store.address.name],
    (stored) => ({
      name: store.address.name,
      description: sent.description ?? null,
      tags: sent.tags ?? {},
      properties: sent.properties ?? {},
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
    }),
    by.ifMatch,
  );
  return { store, isDefault, note: record };
}

/** False when there is none. Throws ApiError 409 for one that the settings name. */
export function deleteDatastore(deps: DatastoreDeps, name: string): boolean {
  if (!find(deps, name)) return false;
  throw conflict(`Datastore '${name}' is configured; take it out of ${SETTING}.`);
}

/** How long a signature lets a client in. */
const SIGNED_FOR_MS = 60 * 60 * 1000;

/** The actions of Azure ML that hand out rights to a container: an operator's, not an invoker's. */
export type ContainerAction = 'datastores/listSecrets' | 'startPendingUpload';

/**
 * A container's access, for what is handed to a client: the one place where the app gives any away. Each time is logged,
 * without the secret. Throws ApiError 409 when there is none to give.
 */
export function accessFor(
  { log, clock }: Pick<DatastoreDeps, 'log' | 'clock'>,
  { address, access }: Datastore,
  action: ContainerAction,
  caller: string,
): { readonly publicKey: string | undefined; readonly sasToken: string } {
  if (!access)
    throw new ApiError(
      409,
      'CredentialsNotAvailable',
      `Datastore '${address.name}' has no account key that a signature could be made with; use an identity that may write to its container.`,
    );
  log.info({ action, datastore: address.name, caller }, 'access to a container handed out');
  return { publicKey: access.publicKey, sasToken: access.sign(clock.now() + SIGNED_FOR_MS) };
}

const find = ({ datastores }: DatastoreDeps, name: string): Datastore | undefined =>
  datastores.find(({ address }) => address.name.toLowerCase() === name.toLowerCase());

const noted = async (deps: DatastoreDeps, store: Datastore): Promise<NotedDatastore> => ({
  store,
  isDefault: deps.datastores[0] === store,
  note: (await deps.registry.datastores.get(store.address.name))?.value,
});
