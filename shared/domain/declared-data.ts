import { deploymentExtension } from './deployment-extensions.ts';
import { badRequest } from './errors.ts';

export const ACCESSES = ['read', 'write'] as const;
export type Access = (typeof ACCESSES)[number];

/** A part of a datastore that every job of a deployment may use. */
export interface DeclaredPlace {
  readonly access: Access;
  readonly datastore: string;
  /** A folder (`in/`), all of the datastore (empty), or `in`: the folder or the file of that name. */
  readonly prefix: string;
}

const MAX_PLACES = 100;

/**
 * The URIs of `batchpoint.inputs` and `batchpoint.outputs`, as they are written: with commas between, so that a comma in a path is
 * `%2C`. Throws ApiError 400.
 */
export function declaredUris(
  properties: Readonly<Record<string, string>>,
): { readonly access: Access; readonly uri: string; readonly target: string }[] {
  return ACCESSES.flatMap((access) => {
    const found = deploymentExtension(properties, access === 'read' ? 'inputs' : 'outputs');
    if (!found) return [];
    const { text, target } = found;
    const uris = text.split(',').map((uri) => uri.trim());
    if (uris.includes('') || uris.length > MAX_PLACES)
      throw badRequest(`${target}: must be 1 to ${MAX_PLACES} data URIs with commas between them`, target);
    return uris.map((uri) => ({ access, uri, target }));
  });
}
