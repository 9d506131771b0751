import { ApiError, badRequest } from './errors.ts';
import { uuidOf } from './uuid.ts';

/** Where data may live: one container of one account, under a name that people use. */
export interface DatastoreAddress {
  readonly name: string;
  readonly account: string;
  readonly container: string;
  /** The account's blob endpoint without a slash at its end, e.g. `https://acct.blob.core.windows.net`. */
  readonly endpoint: string;
}

export interface WorkspaceAddress {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspace: string;
}

/** The workspace's own id: ids of assets hold it or the name. */
export const workspaceGuid = ({ subscriptionId, resourceGroup, workspace }: WorkspaceAddress): string =>
  uuidOf([subscriptionId, resourceGroup, workspace].join('/').toLowerCase());

/** A place in a datastore. `path` is decoded, has no leading slash, and is empty for the whole container. */
export interface DataAddress {
  readonly datastore: string;
  readonly container: string;
  readonly path: string;
}

export interface UriRules {
  readonly workspace: WorkspaceAddress;
  readonly datastores: readonly DatastoreAddress[];
}

export const MAX_URI = 2048;

/**
 * Reads a caller's data URI (contract section 6) into a place of a known datastore. The caller's text is never fetched: it is
 * parsed once, its host must equal a listed one, and the address is rebuilt from the parts (S4.3). What is not in a datastore
 * of this workspace is 403 with one text, whether it exists or not.
 *
 * Throws ApiError 400 for a text that is no such URI, 403 for one that leads elsewhere; `target` names the field.
 */
export function parseDataUri(text: string, rules: UriRules, target: string): DataAddress {
  if (text.length > MAX_URI) throw badRequest(`A URI may have at most ${MAX_URI} characters.`, target);

  if (/[\u0000-\u0020\u007f-\u009f\\]/.test(text))
    throw badRequest('A URI may not hold spaces, control characters or backslashes; encode them with %.', target);
  if (/^azureml:\/\//i.test(text)) return workspaceUri(text.slice('azureml://'.length), text, rules, target);
  const arm = /^(?:azureml:)?\/(subscriptions\/.+)$/i.exec(text);
  if (arm?.[1] !== undefined) return workspaceUri(arm[1], text, rules, target);
  if (/^azureml:/i.test(text))
    throw badRequest(
      `'${shown(text)}' names an asset, not a place; give the path: azureml://datastores/<datastore>/paths/<path>.`,
      target,
    );
  if (/^runs:/i.test(text))
    throw badRequest(
      `'${shown(text)}' is of an MLflow run, and this app keeps none; a job's output is azureml://jobs/<job>/outputs/score.`,
      target,
    );
  return storageUri(text, rules, target);
}

function workspaceUri(rest: string, text: string, rules: UriRules, target: string): DataAddress {
  const long =
    /^subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/(?:providers\/Microsoft\.MachineLearningServices\/)?workspaces\/([^/]+)\/(datastores\/.+)$/i.exec(
      rest,
    );
  if (long) {
    const { subscriptionId, resourceGroup, workspace } = rules.workspace;
    const same = [subscriptionId, resourceGroup, workspace].every(
      (part, i) => part.toLowerCase() === long[i + 1]?.toLowerCase(),
    );
    if (!same) throw elsewhere(text, target);
  }
  const short = /^datastores\/([^/?#]+)\/paths(?:\/([^?#]*))?$/i.exec(long?.[4] ?? rest);
  if (!short)
    throw badRequest(`'${shown(text)}' is not a data URI. Use azureml://datastores/<datastore>/paths/<path>.`, target);
  const name = decodeSegment(short[1] ?? '', target).toLowerCase();
  const store = rules.datastores.find((candidate) => candidate.name.toLowerCase() === name);
  if (!store) throw elsewhere(text, target);
  return { datastore: store.name, container: store.container, path: decodePath(short[2] ?? '', target) };
}

function storageUri(text: string, rules: UriRules, target: string): DataAddress {
  const parts = /^([a-z]+):\/\/([^/?#]+)(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i.exec(text);
  const scheme = parts?.[1]?.toLowerCase();
  if (!parts || scheme === undefined || !['https', 'http', 'wasbs', 'abfss'].includes(scheme))
    throw badRequest(
      `'${shown(text)}' is not a data URI. Use azureml://datastores/<datastore>/paths/<path> or https://<account>.blob.core.windows.net/<container>/<path>.`,
      target,
    );
  // Lower case makes ASCII of some letters that are none: the Kelvin sign is a `k` then.
  if (/[^\x21-\x7e]/.test(parts[2] ?? '')) throw badRequest('The host of a data URI must be ASCII.', target);
  if (parts[4] || parts[5])
    throw badRequest(
      'A data URI may not have a query or a fragment; only the input and the output of a scoring job may be signed URLs.',
      target,
    );
  const path = parts[3] ?? '/';
  if (scheme === 'wasbs' || scheme === 'abfss') {
    const at = /^([^@]+)@([^@]+)$/.exec(parts[2] ?? '');
    if (!at)
      throw badRequest(
        `A ${scheme} URI is ${scheme}://<container>@<account>.${scheme === 'abfss' ? 'dfs' : 'blob'}.core.windows.net/<path>.`,
        target,
      );
    const origin = `https://${(at[2] ?? '').toLowerCase()}`;
    return inDatastore(origin, `/${at[1] ?? ''}${path}`, text, rules, target);
  }
  return inDatastore(`${scheme}://${(parts[2] ?? '').toLowerCase()}`, path, text, rules, target);
}

/** Finds the datastore by exact origin and container; the longest endpoint first, because Azurite's has a path. */
function inDatastore(origin: string, path: string, text: string, rules: UriRules, target: string): DataAddress {
  for (const store of rules.datastores) {
    for (const endpoint of [store.endpoint, store.endpoint.replace('.blob.', '.dfs.')]) {
      const account = new URL(endpoint);
      const prefix = account.pathname === '/' ? '' : account.pathname;
      if (account.origin !== origin || !(path === prefix || path.startsWith(`${prefix}/`))) continue;
      const [container, ...rest] = path.slice(prefix.length + 1).split('/');
      if (decodeSegment(container ?? '', target) !== store.container) continue;
      return { datastore: store.name, container: store.container, path: decodePath(rest.join('/'), target) };
    }
  }
  throw elsewhere(text, target);
}

/** The canonical text of a place, as jobs and answers show it. */
export const dataUri = (address: Pick<DataAddress, 'datastore' | 'path'>): string =>
  `azureml://datastores/${address.datastore}/paths/${address.path.split('/').map(encodeURIComponent).join('/')}`;

/**
 * Why a blob of this name cannot be addressed, or undefined. The SDK rewrites such names (`a/../b` becomes `b`), so the blob
 * that was listed would not be the one that is read (S2.2).
 */
export function badBlobName(name: string): string | undefined {
  if (name.length === 0) return 'is empty';
  if (name.length > 1024) return 'is longer than 1,024 characters';

  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(name)) return 'holds a backslash or a control character';
  if (!name.isWellFormed()) return 'is not well-formed Unicode';
  const segments = name.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) return "has a segment '.' or '..'";
  if (segments.slice(0, -1).some((segment) => segment === '')) return 'has an empty segment';
  return undefined;
}

function decodePath(path: string, target: string): string {
  const decoded = path
    .split('/')
    .map((segment) => decodeSegment(segment, target))
    .join('/');
  const fault = decoded === '' ? undefined : badBlobName(decoded);
  if (fault !== undefined) throw badRequest(`The URI's path ${fault}.`, target);
  return decoded;
}

function decodeSegment(segment: string, target: string): string {
  try {
    const decoded = decodeURIComponent(segment);
    if (decoded.includes('/')) throw badRequest('The URI holds an encoded slash.', target);
    return decoded;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(`The URI holds a broken % escape: '${segment.slice(0, 80)}'.`, target);
  }
}

/** A caller's text in an answer: no query and no user, which may hold secrets, and no longer than is useful. */
export const shown = (text: string): string =>
  text
    .replace(/[?#].*$/s, '')
    .replace(/^(https?:\/\/)[^/]*@/i, '$1')
    .slice(0, 200);

/** What leads out of the datastores: one text, whether it exists or not. */
export const elsewhere = (text: string, target: string): ApiError =>
  new ApiError(403, 'UriNotAllowed', `'${shown(text)}' does not lie in a datastore of this workspace.`, {
    target,
  });
