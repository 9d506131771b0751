/** Name rules of Azure ML. A name that fits is a safe table key and blob path segment once it is lower-cased (S3.1). */

const ENDPOINT = /^(?=.{3,32}$)[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const ASSET = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9_-])?$/;

/** Names of endpoints and of deployments. */
export const isEndpointName = (name: string): boolean => ENDPOINT.test(name);

export const isModelName = (name: string): boolean => name.length <= 255 && ASSET.test(name);

export const isModelVersion = (version: string): boolean => version.length <= 60 && ASSET.test(version);

/** Names that this app gives to jobs, and that an index may be asked for. */
export const isJobName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9-]{0,99}$/.test(name);

export const ENDPOINT_NAME_RULE =
  'must have 3 to 32 characters, begin with a letter, end with a letter or digit, and hold only letters, digits and hyphens';

export const ASSET_NAME_RULE =
  'must begin with a letter or digit, hold only letters, digits, dots, underscores and hyphens, and not end with a dot';
