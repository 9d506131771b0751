import type { AssetKindName } from '../domain/resources.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';

export const PROVIDER = 'Microsoft.MachineLearningServices';

/** ARM ids of this workspace's resources. */
export const workspaceIdOf = ({ subscriptionId, resourceGroup, workspace }: WorkspaceAddress): string =>
  `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/${PROVIDER}/workspaces/${workspace}`;

export const endpointId = (at: WorkspaceAddress, endpoint: string): string =>
  `${workspaceIdOf(at)}/batchEndpoints/${endpoint}`;

export const deploymentId = (at: WorkspaceAddress, endpoint: string, deployment: string): string =>
  `${endpointId(at, endpoint)}/deployments/${deployment}`;

export const assetId = (at: WorkspaceAddress, kind: AssetKindName, name: string): string =>
  `${workspaceIdOf(at)}/${kind}/${name}`;

export const assetVersionId = (at: WorkspaceAddress, kind: AssetKindName, name: string, version: string): string =>
  `${assetId(at, kind, name)}/versions/${version}`;

export const systemData = (record: {
  readonly createdAt: string;
  readonly createdBy: string;
  readonly modifiedAt: string;
}) => ({
  createdAt: record.createdAt,
  createdBy: record.createdBy,
  createdByType: 'User',
  lastModifiedAt: record.modifiedAt,
});

export const jobId = (at: WorkspaceAddress, job: string): string => `${workspaceIdOf(at)}/jobs/${job}`;
