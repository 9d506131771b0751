import type { AssetKindName } from './resources.ts';
import type { WorkspaceAddress } from './uri.ts';

export const PROVIDER = 'Microsoft.MachineLearningServices';

/** ARM ids of this workspace and its assets. */
export const workspaceIdOf = ({ subscriptionId, resourceGroup, workspace }: WorkspaceAddress): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${PROVIDER}/workspaces/${workspace}`;

export const assetId = (at: WorkspaceAddress, kind: AssetKindName, name: string): string =>
  `${workspaceIdOf(at)}/${kind}/${name}`;

export const assetVersionId = (at: WorkspaceAddress, kind: AssetKindName, name: string, version: string): string =>
  `${assetId(at, kind, name)}/versions/${version}`;
