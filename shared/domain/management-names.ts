/** Name rules of Azure ML. A name that fits is a safe table key and blob path segment once it is lower-cased (S3.1). */

const ENDPOINT = /^(?=.{3,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const ASSET = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9_-])?$/;

/** Names of endpoints and of deployments. */
export const isEndpointName = (name: string): boolean => ENDPOINT.test(name);

export const isAssetName = (name: string): boolean => name.length <= 255 && ASSET.test(name);

export const isAssetVersion = (version: string): boolean => version.length <= 255 && ASSET.test(version);

/** Names of clusters. */
export const isComputeName = (name: string): boolean => /^(?=.{2,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name);

export const isDatastoreName = (name: string): boolean => /^[a-zA-Z0-9_]{1,255}$/.test(name);

/** Names that this app gives to jobs, and that an index may be asked for. */
export const isJobName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$/.test(name);

/** What is wrong with a name, in the SDK's words (entities/_endpoint/_endpoint_helpers.py); undefined for one that fits. */
export function endpointNameFault(name: string, what: 'an endpoint' | 'a deployment'): string | undefined {
  if (isEndpointName(name)) return undefined;
  return name.length < 3 || name.length > 32
    ? `The name for ${what} must be at least 3 and at most 32 characters long (inclusive of both limits).`
    : `The name for ${what} must start with an upper- or lowercase letter, end with an alphanumeric character, and only consist of '-'s and alphanumeric characters.`;
}

export const COMPUTE_NAME_RULE =
  'must have 2 to 32 characters, begin with a letter, end with a letter or digit, and hold only letters, digits and hyphens';

export const DATASTORE_NAME_RULE = 'must have 1 to 255 characters: letters, digits and underscores';

export const ASSET_NAME_RULE =
  'must have at most 255 characters, begin with a letter or digit, hold only letters, digits, dots, underscores and hyphens, and not end with a dot';
