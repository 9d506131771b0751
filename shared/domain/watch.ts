import { z } from 'zod';
import { sha256 } from './blocks.ts';
import { checked } from './checked.ts';
import { deploymentExtension } from './deployment-extensions.ts';
import { badRequest } from './errors.ts';
import { matchesGlob } from './glob.ts';
import { ARTIFACT_RUNS, ARTIFACT_STORE } from './log-files.ts';
import { badBlobName, dataUri, MAX_URI, type DatastoreAddress } from './uri.ts';

/** Where outputs go that nobody placed (contract 6): jobs would feed on each other there. */
const DEFAULT_OUTPUTS = 'azureml/';

/** The text of the property `batchpoint.watch`, as JSON. */
const WatchProperty = z.strictObject({
  /** By default the workspace's default datastore; `container` is another way to name it. */
  datastore: z.string().min(1).max(63).optional(),
  container: z.string().min(3).max(63).optional(),
  /** A folder; what lies below it is watched at any depth. */
  prefix: z.string().min(1).max(800),
  /** Of the blob's own name, without its folders. */
  pattern: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^/\\]*$/, 'is for the name of a file and may not hold slashes')
    .default('*'),
  /** As soon as so many blobs wait, a job starts. */
  maxFiles: z.int().min(1).max(1000).default(100),
  /** How long the first blob waits for others. */
  maxWaitSeconds: z.int().min(1).max(86_400).default(30),
});

/** A folder that a deployment watches: what events, waiting rows and flush messages are gathered under. */
export const WatchedFolder = z.strictObject({
  endpoint: z.string().min(1),
  deployment: z.string().min(1),
  datastore: z.string().min(1),
  /** With a slash at the end. */
  prefix: z.string().min(1),
});
export type WatchedFolder = z.infer<typeof WatchedFolder>;

/** What a deployment watches and when it starts a job. */
export interface Watch extends WatchedFolder {
  readonly pattern: string;
  readonly maxFiles: number;
  readonly maxWaitSeconds: number;
}

interface Watcher {
  readonly endpoint: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * What a deployment watches, from its properties; the first datastore is the default one. Undefined when it watches nothing.
 * Throws ApiError 400 for a property that cannot be read or names no datastore.
 */
export function watchOf(deployment: Watcher, datastores: readonly DatastoreAddress[]): Watch | undefined {
  const found = deploymentExtension(deployment.properties, 'watch');
  if (!found) return undefined;
  const { text, target } = found;
  const { datastore, container, prefix, ...rest } = checked(WatchProperty, parseJson(text, target), target);
  const store = storeOf(datastore, container, datastores, target);
  return {
    endpoint: deployment.endpoint,
    deployment: deployment.name,
    datastore: store.name,
    prefix: folderOf(prefix, store, datastores, target),
    ...rest,
  };
}

/** True when a blob of the watch's container is for the watch. Markers of folders are no files. */
export const isWatched = (watch: Watch, path: string): boolean =>
  path.startsWith(watch.prefix) &&
  !path.endsWith('/') &&
  matchesGlob(path.slice(path.lastIndexOf('/') + 1), watch.pattern);

/** The container of a datastore, whatever the datastore's name: safe as part of a table key. */
export const containerKey = ({ endpoint, container }: DatastoreAddress): string =>
  sha256(`${endpoint.toLowerCase()}/${container}`);

/** Two watches with one key gather together. Safe as part of a table key. */
export const folderKey = ({ endpoint, deployment, datastore, prefix }: WatchedFolder): string =>
  `${endpoint.toLowerCase()}|${deployment.toLowerCase()}|${sha256(JSON.stringify([datastore, prefix])).slice(0, 32)}`;

function parseJson(text: string, target: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`${target}: must be JSON, such as {"prefix":"incoming/"}`, target);
  }
}

function storeOf(
  datastore: string | undefined,
  container: string | undefined,
  datastores: readonly DatastoreAddress[],
  target: string,
): DatastoreAddress {
  const fits = ({ name, container: has }: DatastoreAddress): boolean =>
    (datastore === undefined || name.toLowerCase() === datastore.toLowerCase()) &&
    (container === undefined || has === container);
  const [found, ...more] = (datastore ?? container) === undefined ? datastores.slice(0, 1) : datastores.filter(fits);
  const asked = [
    ...(datastore === undefined ? [] : [`datastore '${datastore}'`]),
    ...(container === undefined ? [] : [`container '${container}'`]),
  ].join(' with ');
  if (!found) throw badRequest(`${target}: there is no ${asked} in this workspace`, target);
  if (more.length > 0) throw badRequest(`${target}: several datastores have ${asked}; name the datastore`, target);
  return found;
}

/** The prefix as a folder's. Throws for one that no blob can have and for one where jobs write by default. */
function folderOf(
  prefix: string,
  store: DatastoreAddress,
  datastores: readonly DatastoreAddress[],
  target: string,
): string {
  const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
  const at = `${target}.prefix`;
  const fault = folder.startsWith('/') ? 'begins with a slash' : badBlobName(folder);
  if (fault !== undefined) throw badRequest(`${at}: '${prefix.slice(0, 80)}' ${fault}`, at);
  if (dataUri({ datastore: store.name, path: folder }).length > MAX_URI)
    throw badRequest(`${at}: its URI would be longer than ${MAX_URI} characters`, at);
  const own = ownFolder(folder, store, datastores);
  if (own !== undefined)
    throw badRequest(`${at}: jobs write below '${own}' and would start each other; watch another folder`, at);
  return folder;
}

/** The folder of the app's own in which a watch would lie, under whatever name of its container. */
function ownFolder(
  folder: string,
  store: DatastoreAddress,
  datastores: readonly DatastoreAddress[],
): string | undefined {
  const artifacts = datastores.find(({ name }) => name.toLowerCase() === ARTIFACT_STORE);
  const owned = [
    { folder: DEFAULT_OUTPUTS, store: datastores[0] },
    { folder: ARTIFACT_RUNS, store: artifacts },
  ];
  const found = owned.find(
    (one) => one.store && containerKey(one.store) === containerKey(store) && folder.startsWith(one.folder),
  );
  return found?.folder;
}
