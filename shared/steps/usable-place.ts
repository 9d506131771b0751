import type { Caller } from '../auth/caller.ts';
import type { DeploymentData } from '../auth/data-grants.ts';
import type { Access } from '../domain/declared-data.ts';
import { ApiError } from '../domain/errors.ts';
import { parseDataUri, shown, type DataAddress, type UriRules } from '../domain/uri.ts';
import { uriRules, type RulesDeps } from './datastore-source.ts';

/** For whom, and for a job of which deployment, data is used. */
export interface DataUser {
  readonly caller: Caller;
  readonly deployment?: DeploymentData | undefined;
}

/** A place that a job is asked to use. */
export interface AskedPlace {
  readonly access: Access;
  /** Where it lies. */
  readonly uri: string;
  /** What the caller wrote, where that named something else. */
  readonly asked?: string;
  /** What of it is used: a file, all below a folder, or a file and others beside it. */
  readonly extent: 'file' | 'folder' | 'beside';
  /** Folders that hold outputs of a job that the caller may read, and nothing else: reading them takes no grant. */
  readonly ownFolders?: readonly string[];
}

/**
 * The address of a place that the app may use for this job (S4.2). Throws ApiError 400 for what is no place, 403 with one text for
 * a place outside of the datastores and for one that nothing opens to the caller, whether it is there or not.
 */
export async function usablePlace(
  deps: RulesDeps,
  { access, uri, asked = uri, extent, ownFolders = [] }: AskedPlace,
  user: DataUser,
  target: string,
): Promise<DataAddress> {
  const rules = await uriRules(deps);
  let address: DataAddress;
  try {
    address = parseDataUri(uri, rules, target);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) throw dataForbidden(asked, access, target);
    throw error;
  }
  const path = EXTENTS[extent](address.path);
  if (ownFolders.some((folder) => path.startsWith(folder))) return address;
  if (mayUsePlace(rules, { access, datastore: address.datastore, path }, user)) return address;
  throw dataForbidden(asked, access, target);
}

const EXTENTS: Readonly<Record<AskedPlace['extent'], (path: string) => string>> = {
  file: (path) => path,
  folder: (path) => (path === '' || path.endsWith('/') ? path : `${path}/`),
  beside: (path) => path.slice(0, path.lastIndexOf('/') + 1),
};

/** One container may be several datastores: a grant for any of them counts. */
export function mayUsePlace(
  { datastores }: UriRules,
  { access, datastore, path }: { readonly access: Access; readonly datastore: string; readonly path: string },
  { caller, deployment }: DataUser,
): boolean {
  const store = datastores.find(({ name }) => name === datastore);
  const same = datastores.filter(
    ({ endpoint, container }) => endpoint === store?.endpoint && container === store.container,
  );
  return caller.mayUse({ access, datastores: same.map(({ name }) => name), path, deployment });
}

/** Says what to ask for, and not whether anything is there. */
export const dataForbidden = (text: string, access: Access, target: string): ApiError =>
  new ApiError(
    403,
    'UriNotAllowed',
    `'${shown(text)}' does not lie in a datastore of this workspace, or not where this job may ${access}: below a folder that its deployment declares ('batchpoint.${access === 'read' ? 'inputs' : 'outputs'}') or that the app setting BATCHPOINT_GRANTS opens to it.`,
    { target },
  );
