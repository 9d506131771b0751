import { badRequest } from './errors.ts';
import { isAssetName, isAssetVersion } from './management-names.ts';
import type { WorkspaceAddress } from './uri.ts';

export interface AskedModel {
  readonly name: string;
  /** `latest` stands for the version that was registered last. */
  readonly version: string;
  readonly isLabel: boolean;
}

/**
 * Reads the forms in which clients name a model (contract 6): `azureml:name:version`, `azureml:name@latest`, and this
 * workspace's ids, short (`azureml://locations/...`) and long. Throws ApiError 400 for anything else.
 */
export function parseModelReference(text: string, at: WorkspaceAddress, target: string): AskedModel {
  const plain = /^azureml:([^:@/]+)(?::([^:@/]+)|@([^:@/]+))$/i.exec(text);
  if (plain) return asked(plain[1], plain[2], plain[3], text, target);
  const long =
    /^(?:azureml:\/?)?\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/(?:providers\/[^/]+\/)?workspaces\/([^/]+)\/models\/(.+)$/i.exec(
      text,
    );
  const short = /^azureml:\/\/locations\/[^/]+\/workspaces\/([^/]+)\/models\/(.+)$/i.exec(text);
  const rest = /^([^/]+)\/versions\/(?:labels\/([^/]+)|([^/]+))$/i.exec(long?.[4] ?? short?.[2] ?? '');
  if (!rest)
    throw badRequest(
      `${target}: '${text.slice(0, 200)}' is no model id. Use azureml:<name>:<version> or the model version's ARM id.`,
      target,
    );
  const ours = long
    ? same(long[1], at.subscriptionId) && same(long[2], at.resourceGroup) && same(long[3], at.workspace)
    : same(short?.[1], at.workspace);
  if (!ours) throw badRequest(`${target}: the model is not in this workspace.`, target);
  return asked(rest[1], rest[3], rest[2], text, target);
}

const same = (given: string | undefined, ours: string): boolean => given?.toLowerCase() === ours.toLowerCase();

function asked(
  name: string | undefined,
  version: string | undefined,
  label: string | undefined,
  text: string,
  target: string,
): AskedModel {
  if (label !== undefined && label.toLowerCase() !== 'latest')
    throw badRequest(`${target}: the only label of a model is 'latest', not '${label.slice(0, 80)}'.`, target);
  if (name === undefined || !isAssetName(name) || (version !== undefined && !isAssetVersion(version)))
    throw badRequest(`${target}: '${text.slice(0, 200)}' does not hold a model's name and version.`, target);
  return { name, version: version ?? 'latest', isLabel: label !== undefined };
}
