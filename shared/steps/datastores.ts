import { ApiError, badRequest, conflict, resourceNotFound } from '../domain/errors.ts';
import { containerFault } from '../domain/container-names.ts';
import type { DatastoreBody } from '../domain/workspace-bodies.ts';
import { DATASTORE_NAME_RULE, isDatastoreName } from '../domain/management-names.ts';
import type { DatastorePlace, DatastoreRecord } from '../domain/resources.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastores } from './datastore-source.ts';
import { datastoreUser, type DatastoreUserDeps } from './datastore-users.ts';
import type { Datastore } from './deps.ts';
import type { Clock, Log } from './ports.ts';
import { checkIfMatch, removeResource, writeResource, type Author } from './write-resource.ts';

export interface DatastoreDeps {
  readonly registry: Registry;
  readonly datastores: Datastores;
  readonly clock: Clock;
  readonly log: Log;
}

/** A datastore with what was written about it. */
export interface NotedDatastore {
  readonly store: Datastore;
  readonly isDefault: boolean;
  readonly note: DatastoreRecord | undefined;
}

const SETTING = 'the app setting BATCHPOINT_DATASTORES (name, connection, container; the first is the default)';

/** Throws ApiError 404. */
export async function datastoreOf(deps: DatastoreDeps, name: string): Promise<NotedDatastore> {
  const store = await deps.datastores.find(name);
  if (!store) throw resourceNotFound(`Datastore '${name.slice(0, 80)}'`);
  return noted(deps, store);
}

export const listDatastores = async (deps: DatastoreDeps): Promise<NotedDatastore[]> =>
  Promise.all((await deps.datastores.list()).map((store) => noted(deps, store)));

/**
 * Makes a datastore of a container whose account the settings let the app into, or describes one that is there (decision 8). No
 * credential that a client sends is read. Where a datastore lies never changes. Throws ApiError 400.
 */
export async function putDatastore(
  deps: DatastoreDeps,
  name: string,
  { properties: sent }: DatastoreBody,
  by: Author,
): Promise<NotedDatastore & { readonly created: boolean }> {
  if (!isDatastoreName(name)) throw badRequest(`The name of a datastore ${DATASTORE_NAME_RULE}.`, 'name');
  const place = { account: sent.accountName, container: sent.containerName };
  const configured = deps.datastores.configured(name);
  if (configured) checkPlace(name, configured.address, place, `that is changed in ${SETTING}`);
  else checkNewPlace(deps, name, place);
  const isDefault = deps.datastores.default === configured;
  if (sent.isDefault !== undefined && sent.isDefault !== isDefault)
    throw badRequest(`The default datastore is the first one of ${SETTING}.`, 'properties.isDefault');
  const now = new Date(deps.clock.now()).toISOString();
  const { created } = await writeResource(
    deps.registry.datastores,
    [name],
    (stored) => {
      if (!configured && stored?.place) checkPlace(name, stored.place, place, 'delete it and make another');
      return {
        name: configured?.address.name ?? stored?.name ?? name,
        description: sent.description ?? null,
        tags: sent.tags ?? {},
        properties: sent.properties ?? {},
        createdAt: stored?.createdAt ?? now,
        createdBy: stored?.createdBy ?? by.subject,
        modifiedAt: now,
        ...(!configured && { place }),
      };
    },
    by.ifMatch,
  );
  deps.datastores.changed();
  return { ...(await datastoreOf(deps, name)), created: created && !configured };
}

function checkPlace(name: string, has: DatastorePlace, asked: DatastorePlace, how: string): void {
  if (asked.account === has.account && asked.container === has.container) return;
  throw badRequest(
    `Datastore '${name}' is container '${has.container}' of account '${has.account}'; ${how}.`,
    asked.account === has.account ? 'properties.containerName' : 'properties.accountName',
  );
}

/** S4.1, S4.2: an account of the operator's list, and no container in which the app or its host keeps something. */
function checkNewPlace({ datastores }: DatastoreDeps, name: string, place: DatastorePlace): void {
  const fault = containerFault(place.container);
  if (fault !== undefined) throw badRequest(`The container of a datastore ${fault}.`, 'properties.containerName');
  if (datastores.open(name, place)) return;
  throw badRequest(
    `The app has no access to account '${place.account.slice(0, 80)}'. It opens accounts with its own credentials and keeps none that a request sends: add the account to the app setting BATCHPOINT_DATASTORE_ACCOUNTS and restart the app.`,
    'properties.accountName',
  );
}

/** False when there is none. Throws ApiError 409 for one that the settings name or that something refers to. */
export async function deleteDatastore(
  deps: DatastoreDeps & DatastoreUserDeps,
  name: string,
  by: Author,
): Promise<boolean> {
  if (deps.datastores.configured(name)) throw conflict(`Datastore '${name}' is configured; take it out of ${SETTING}.`);
  const found = await deps.registry.datastores.get(name);
  if (!found) return false;
  checkIfMatch(found.value, by.ifMatch);
  const user = await datastoreUser(deps, found.value.name);
  if (user !== undefined) throw conflict(`Datastore '${found.value.name}' is used by ${user}.`);
  const removed = await removeResource(deps.registry.datastores, [name], by.ifMatch);
  deps.datastores.changed();
  return removed;
}

/** How long a signature lets a client in. */
const SIGNED_FOR_MS = 60 * 60 * 1000;

/** The actions of Azure ML that hand out rights to a container: an operator's, not an invoker's. */
export type ContainerAction = 'datastores/listSecrets' | 'startPendingUpload';

/**
 * A container's access, for what is handed to a client: the one place where the app gives any away. Each time is logged,
 * without the secret. Throws ApiError 409 when there is none to give.
 */
export async function accessFor(
  { log, clock }: Pick<DatastoreDeps, 'log' | 'clock'>,
  { address, access }: Datastore,
  action: ContainerAction,
  caller: string,
): Promise<{ readonly publicKey: string | undefined; readonly sasToken: string }> {
  if (!access)
    throw new ApiError(
      409,
      'CredentialsNotAvailable',
      `Datastore '${address.name}' has neither an account key nor an identity that a signature could be made with; use an identity that may write to its container.`,
    );
  const sasToken = await access.sign(clock.now() + SIGNED_FOR_MS);
  log.info({ action, datastore: address.name, caller }, 'access to a container handed out');
  return { publicKey: access.publicKey, sasToken };
}

const noted = async (deps: DatastoreDeps, store: Datastore): Promise<NotedDatastore> => ({
  store,
  isDefault: deps.datastores.default === store,
  note: (await deps.registry.datastores.get(store.address.name))?.value,
});
