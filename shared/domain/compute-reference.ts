import { badRequest } from './errors.ts';
import { isComputeName } from './management-names.ts';
import type { WorkspaceAddress } from './uri.ts';

/**
 * The cluster's name in the forms that clients write: `azureml:name`, its ARM id in this workspace, or the bare name. Throws
 * ApiError 400 for anything else.
 */
export function parseComputeReference(text: string, at: WorkspaceAddress, target: string): string {
  const { subscriptionId, resourceGroup, workspace } = at;
  const home = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}/computes/`;
  const plain = text.replace(/^azureml:/i, '');
  const name = plain.toLowerCase().startsWith(home.toLowerCase()) ? plain.slice(home.length) : plain;
  if (!isComputeName(name))
    throw badRequest(
      `${target}: '${text.slice(0, 200)}' is no compute of this workspace. Use azureml:<name> or ${home}<name>.`,
      target,
    );
  return name;
}
