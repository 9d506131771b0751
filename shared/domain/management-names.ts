/** Name rules of Azure ML. A name that fits is a safe table key and blob path segment once it is lower-cased (S3.1). */

const ENDPOINT = /^(?=.{3,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const ASSET = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9_-])?$/;

/** Names of endpoints and of deployments. */
export const isEndpointName = (name: string): boolean => ENDPOINT.test(name);

export const isAssetName = (name: string): boolean => name.length <= 255 && ASSET.test(name);

export const isAssetVersion = (version: string): boolean => version.length <= 60 && ASSET.test(version);

/** Names of clusters. */
export const isComputeName = (name: string): boolean => /^(?=.{2,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name);

export const isDatastoreName = (name: string): boolean => /^[a-zA-Z0-9_]{1,255}$/.test(name);

/** Names that this app gives to jobs, and that an index may be asked for. */
export const isJobName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9-]{0,99}$/.test(name);

export const ENDPOINT_NAME_RULE =
  'must have 3 to 32 characters, begin with a letter, end with a letter or digit, and hold only letters, digits and hyphens';

export const COMPUTE_NAME_RULE =
  'must have 2 to 32 characters, begin with a letter, end with a letter or digit, and hold only letters, digits and hyphens';

export const DATASTORE_NAME_RULE = 'must have 1 to 255 characters: letters, digits and underscores';

export const ASSET_NAME_RULE =
  'must have at most 255 characters (a version 60), begin with a letter or digit, hold only letters, digits, dots, underscores and hyphens, and not end with a dot';
